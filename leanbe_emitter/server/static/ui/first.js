// The first minute: from nothing to an event that is verified, fails, and is delivered after all.
import { computed, signal } from "@preact/signals";
import { ask, ofProduct, post } from "./api.js";
import { openNext } from "./deliveries.js";
import { Act, Code, html, receiverAt, sayProblem } from "./parts.js";
import { generation } from "./reading.js";
import { addressOf, choose, chosen } from "./route.js";
import { rowOf, shown, version } from "./rows.js";
import { isManual, product } from "./server.js";
import { REFUSALS } from "./signature.js";

const IDEA = "Dark mode";
const FAILURES = 2;

/** This step leaves no trace in a delivery. */
const hasSeenSignature = signal(false);

/** What the rows tell of the steps. */
const progress = computed(() => {
  version.value;
  generation.value;
  const rows = shown.value.slice(0, 200).map(rowOf);
  return {
    last: rows.find((row) => row.attempts > 0),
    delivered: rows.find((row) => row.status === "delivered"),
    failed: rows.find((row) => row.fault !== null || row.attempts > 1),
    waiting: rows.find((row) => row.status === "pending" && row.attempts > 0),
    recovered: rows.find((row) => row.status === "delivered" && row.attempts > 1),
  };
});

/** Vote for an idea, which is made if it is not there; its delivery is opened when it arrives. */
async function vote() {
  const path = ofProduct(product.peek()._id, "/ideas");
  try {
    const { items } = await ask(path);
    const idea = items.find((each) => each.title === IDEA) ?? (await post(path, { title: IDEA }));
    openNext((row) => row.event.event === "idea.upVoted" && row.about._id === idea._id);
    await post(`${path}/${idea._id}/upvote`);
  } catch (error) {
    sayProblem(error);
  }
}

async function failAndVote() {
  const body = { kind: "receiver_fails", how: "status:503", times: FAILURES, product: product.peek()._id };
  try {
    await post("faults", body);
    await vote();
  } catch (error) {
    sayProblem(error);
  }
}

const advance = () => post("clock/advance", { to: "next" }).catch(sayProblem);

function showSignature(id) {
  hasSeenSignature.value = true;
  if (chosen.peek() !== id) choose(id);
  const look = (left) => {
    const found = document.getElementById("signature");
    if (found) found.scrollIntoView({ block: "start" });
    else if (left) setTimeout(look, 100, left - 1);
  };
  look(30);
}

export function FirstMinute({ putAway }) {
  const { url } = product.value.webhook;
  if (!url) return html`<section class="card first" aria-label="The first minute"><${Title} putAway=${putAway} /><p>${product.value.name} has no URL yet, so nothing is sent. <a href=${addressOf("webhook")}>Say where your receiver is.</a></p></section>`;
  const { last, delivered, failed, waiting, recovered } = progress.value;
  return html`<section class="card first" aria-label="The first minute"><${Title} putAway=${putAway} />
    <ol>
      <${Step} isDone=${delivered} text=${html`Raise an event. It goes to <span class="mono">${url}</span>.`}><${Act} kind=${delivered ? "small" : "small primary"} act=${vote}>Vote for “${IDEA}”<//><//>
      ${last && last.outcome !== "delivered" && last.fault === null && html`<li class="said"><${CameBack} row=${last} /></li>`}
      <${Step} isDone=${hasSeenSignature.value} text="See what was signed, step by step.">${delivered && html`<button type="button" class="small" onClick=${() => showSignature(chosen.peek() || delivered._id)}>Show the signature</button>`}<//>
      <${Step} isDone=${failed} text="Make the receiver fail twice.">${delivered && html`<${Act} kind="small" act=${failAndVote}>Make it fail, and vote<//>`}<//>
      <${Step} isDone=${recovered} text=${isManual.value ? "Move the clock to the retries: the third attempt is delivered." : "Wait for the retries: the third attempt is delivered."}>${waiting && isManual.value && html`<${Act} kind="small primary" act=${advance}>Advance to the next retry<//>`}<//>
    </ol>
    ${recovered && hasSeenSignature.value && html`<p class="good">That is all of it: raised, signed, refused, retried, delivered.</p>`}</section>`;
}

const Title = ({ putAway }) => html`<h2>The first minute <button type="button" class="plain small" aria-label="Put the first minute away" title="Put it away" onClick=${putAway}>✕</button></h2>`;

const Step = ({ isDone, text, children }) => html`<li class=${isDone ? "done" : ""}><span class="mark" aria-hidden="true">${isDone ? "✓" : ""}</span><span>${text}${isDone && html`<span class="unseen"> Done.</span>`}</span>${children}</li>`;

/** What came back, and what to do about it. */
function CameBack({ row }) {
  if (row.outcome === "unreachable") return html`<div class="note wait"><b>Nobody listens there.</b><p>Start a receiver, with the secret in LEANBE_WEBHOOK_SECRET, or <a href=${addressOf("webhook")}>change the URL</a>.</p>
    <${Code} text=${receiverAt(row.url)} label="Command of a receiver" /></div>`;
  const advice = REFUSALS.includes(row.answer) ? "It may refuse the signature: find out why." : "See the evidence.";
  return html`<div class="note wait"><b>The receiver answers ${row.answer ?? row.outcome}.</b><p><a href=${addressOf(`deliveries/${row._id}`)}>${advice}</a></p></div>`;
}
