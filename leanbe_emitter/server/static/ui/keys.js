// Keys of the whole page. None acts in a field, in a dialog, or with a modifier.
import { signal } from "@preact/signals";
import { toggleFollowing, togglePause } from "./deliveries.js";
import { active, focusList, step } from "./list.js";
import { choose, chosen, go, page } from "./route.js";

export const isHelpOpen = signal(false);
export const areKeysOn = signal(true);
export const KEYS = [
  ["j k", "next, previous delivery"],
  ["Enter", "open it"],
  ["Esc", "close it"],
  ["/", "filter"],
  ["p", "pause, and go on"],
  ["f", "follow what arrives"],
  ["r", "redeliver the open delivery"],
  ["c", "copy its request as curl"],
  ["e", "edit and send it"],
  ["n", "compose"],
  ["Ctrl+Enter", "send what is composed"],
  ["g d", "go to deliveries; g w: webhook; g f: faults; g c: clock"],
  ["?", "this list"],
];
const PLACES = { d: "deliveries", n: "compose", w: "webhook", f: "faults", c: "clock" };

let isGoing = false;

const acts = {
  j: () => step(1),
  k: () => step(-1),
  Enter: () => active.peek() && choose(active.peek()),
  "/": () => document.getElementById("filter")?.focus(),
  p: togglePause,
  f: toggleFollowing,
  r: () => chosen.peek() && import("./delivery.js").then(({ redeliver }) => redeliver(chosen.peek())),
  c: () => chosen.peek() && import("./delivery.js").then(({ copyAs }) => copyAs(chosen.peek(), "curl")),
  e: () => document.querySelector(".acts a")?.click(),
  n: () => go("compose"),
  "?": () => { isHelpOpen.value = true; },
  g: () => { isGoing = true; },
};
const ON_DELIVERIES = ["j", "k", "Enter", "/", "p", "f", "r", "c", "e"];

function onKey(event) {
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") return escape(event);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return document.getElementById("send")?.click();
  if (!areKeysOn.peek() || event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return;
  const goes = isGoing;
  isGoing = false;
  if (goes && PLACES[event.key]) return act(event, () => go(PLACES[event.key]));
  const found = acts[event.key];
  if (found && (page.peek() === "deliveries" || !ON_DELIVERIES.includes(event.key))) act(event, found);
}

function act(event, does) {
  event.preventDefault();
  does();
}

/** Whether the element in focus has a use for the key itself. */
function isTaken(event) {
  if (event.target.matches("input, textarea, select")) return true;
  return event.key === "Enter" && event.target.matches("a, button, summary, [role=grid]");
}

function escape(event) {
  if (event.target.matches("input, textarea, select")) event.target.blur();
  else if (chosen.peek()) {
    choose("");
    requestAnimationFrame(focusList);
  }
}

export const listenToKeys = () => addEventListener("keydown", onKey);
