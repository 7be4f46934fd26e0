// The page begins here, with the frame around each of its pages: where one is, of which product, how the server does, and the login.
import { effect } from "@preact/signals";
import { render } from "preact";
import { useState } from "preact/hooks";
import { loginReason, logIn } from "./api.js";
import { Deliveries } from "./deliveries.js";
import { areKeysOn, isHelpOpen, KEYS, listenToKeys } from "./keys.js";
import { html, Lazy, Modal, plural, submitted, Toast, typed } from "./parts.js";
import { begin, connection, failures } from "./reading.js";
import { addressOf, go, page, productName, route } from "./route.js";
import { isManual, now, product, products, pulse } from "./server.js";

const PLACES = [
  ["Webhooks", [["deliveries", "Deliveries"], ["compose", "Compose"], ["webhook", "Webhook"]]],
  ["Lab", [["faults", "Faults"], ["clock", "Clock"]]],
];
const PAGES = {
  compose: ["Compose", () => import("./compose.js")],
  webhook: ["Webhook", () => import("./webhook.js")],
  faults: ["Faults", () => import("./lab.js")],
  clock: ["Clock", () => import("./lab.js")],
};

function App() {
  return html`<div class="frame"><button type="button" class="skip" onClick=${toContent}>Skip to the content</button><${Side} /><div id="content" tabindex="-1"><${Page} /></div></div><${Toast} /><${Login} /><${Help} />`;
}

const toContent = () => document.getElementById("content").focus();

/** Where the focus goes with a page that had it: the next Tab is in the new one. */
function keepFocus() {
  let before = page.peek();
  effect(() => {
    if (page.value !== before) requestAnimationFrame(() => document.activeElement === document.body && toContent());
    before = page.value;
  });
}

function Page() {
  const [name, load] = PAGES[page.value] ?? [];
  if (!name) return html`<${Deliveries} />`;
  return html`<${Lazy} key=${name} name=${name} load=${load} />`;
}

function Side() {
  return html`<header class="side"><a class="brand" href=${addressOf("deliveries")}><${Mark} />leanbe-emitter</a><${Products} />
    <nav aria-label="Pages">${PLACES.map(([part, places]) => html`<div key=${part}><h2>${part}</h2><ul>${places.map(([path, name]) => html`<${Place} key=${path} path=${path} name=${name} />`)}</ul></div>`)}</nav>
    <${Health} /></header>`;
}

const Mark = () => html`<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><rect width="20" height="20" rx="5" class="mark" /><path d="M6 5v10h5M9 10h6m-2.5-2.5L15 10l-2.5 2.5" class="sign" /></svg>`;

function Place({ path, name }) {
  const armed = path === "faults" ? pulse.value?.faults : 0;
  return html`<li><a href=${addressOf(path)} aria-current=${page.value === path ? "page" : undefined}>${name}${armed > 0 && html`<span class="count" title=${`${plural(armed, "fault")} armed`}>${armed}<span class="armed"> armed</span></span>`}</a></li>`;
}

function Products() {
  const all = products.value ?? [];
  const isOptional = page.value === "deliveries" && all.length > 1;
  const chosen = productName.value || (isOptional ? "" : (product.value?.name ?? ""));
  const pick = (event) => go([route.value.page, page.value === "deliveries" ? "" : route.value.id].filter(Boolean).join("/"), { product: event.target.value });
  return html`<label class="products"><span class="unseen">Product</span><select value=${chosen} onChange=${pick} disabled=${all.length < 2}>
    ${isOptional && html`<option value="">All products</option>`}
    ${all.length === 0 && html`<option value="">No product</option>`}
    ${products.value && chosen && !all.some((each) => each.name === chosen) && html`<option value=${chosen}>${chosen}</option>`}
    ${all.map((each) => html`<option key=${each._id} value=${each.name}>${each.name}</option>`)}</select></label>`;
}

/** What is due, how much is settled, and the emitter's time. */
function Health() {
  const told = pulse.value;
  return html`<div class="health">
    <div class="row-of spread"><span>${told ? `${told.due.toLocaleString("en")} due` : ""}</span><span>${told ? `${told.settled} settled/s` : ""}</span></div>
    <div class="mono">${now.value.slice(0, 19).replace("T", " ")}</div>
    <div>${now.value && (isManual.value ? html`<a href=${addressOf("clock")}>Manual clock</a>` : "The machine's clock")}</div>
    <div class="row-of spread"><a href="docs">API</a><button type="button" class="small" onClick=${() => { isHelpOpen.value = true; }}>Keys <kbd>?</kbd></button></div></div>`;
}

function Login() {
  const [text, setText] = useState("");
  if (loginReason.value === null) return null;
  const submit = submitted(() => {
    setText("");
    logIn(text.trim());
  });
  return html`<${Modal} label="Log in"><form class="login" onSubmit=${submit}><h2>leanbe-emitter</h2>
    <label for="token">The server's token, which is the value of <code>LEANBE_EMITTER_TOKEN</code> there</label>
    <input id="token" type="password" autocomplete="off" spellcheck="false" required value=${text} onInput=${typed(setText)} />
    ${loginReason.value === "wrong" && html`<p class="wrong" role="alert">The server does not know this token.</p>`}
    <button class="primary">Log in</button></form><//>`;
}

function Help() {
  if (!isHelpOpen.value) return null;
  const shut = () => { isHelpOpen.value = false; };
  return html`<${Modal} label="Keys" onClose=${shut}><h2>Keys</h2>
    <dl class="keys">${KEYS.map(([keys, text]) => html`<div key=${keys}><dt>${keys.split(" ").map((each) => html`<kbd key=${each}>${each}</kbd> `)}</dt><dd>${text}</dd></div>`)}</dl>
    <label class="check"><input type="checkbox" checked=${areKeysOn.value} onChange=${(event) => { areKeysOn.value = event.target.checked; }} /> Use these keys</label>
    <form method="dialog"><button class="primary">Close</button></form><//>`;
}

/** Keep the title: the page, and how many attempts failed while nobody looked. */
function keepTitle() {
  const names = Object.fromEntries(PLACES.flatMap(([, places]) => places));
  effect(() => {
    const away = connection.value === "away" ? " (reconnecting)" : "";
    document.title = `${failures.value ? `(${failures.value}) ` : ""}${names[page.value] ?? "Deliveries"} - leanbe-emitter${away}`;
  });
  const look = () => { if (document.hasFocus()) failures.value = 0; };
  for (const name of ["focus", "keydown", "pointerdown"]) addEventListener(name, look);
}

render(html`<${App} />`, document.getElementById("app"));
begin();
keepTitle();
keepFocus();
listenToKeys();
