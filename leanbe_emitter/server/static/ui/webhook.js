// A product's webhook: where events go, with which secret and headers, and whether the receiver does right.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, ofProduct, post } from "./api.js";
import { Act, Code, Column, duration, html, Modal, plural, receiverAt, say, sayProblem, submitted, Trouble, typed, useAsk, Words } from "./parts.js";
import { choose, go } from "./route.js";
import { changeCount, product, readProducts } from "./server.js";
import { Language, languageOf, NAMES, Secret } from "./signature.js";

const SNIPPETS = "express node fastapi flask django php go ruby java csharp webhook".split(" ");
const EXAMPLE = "http://127.0.0.1:8000/hooks/leanbe";
/** Time between two looks at a check that is under way. */
const LOOK_MS = 500;
const FINDINGS = ["fail", "error", "warn"];

export function Webhook() {
  const [isNew, setNew] = useState(false);
  const of = product.value;
  const bar = of && html`<span class="grow muted">of ${of.name}</span><button type="button" aria-expanded=${isNew} onClick=${() => setNew(!isNew)}>New product</button>`;
  return html`<${Column} title="Webhook" bar=${bar}>
      ${(isNew || !of) && html`<${NewProduct} onMade=${() => setNew(false)} />`}
      ${of && html`<${Target} key=${of._id} of=${of} /><${Check} key=${`${of._id} check`} of=${of} /><${Secrets} of=${of} /><${Further} key=${`${of._id} headers`} of=${of} /><${Receivers} of=${of} />`}<//>`;
}

/** A form of two fields: all that a product needs. */
function NewProduct({ onMade }) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState(EXAMPLE);
  const first = useRef(null);
  useEffect(() => first.current.focus(), []);
  const make = async () => {
    try {
      await post("products", { name, webhook: url ? { url } : undefined });
      await readProducts();
      onMade();
      go("webhook", { product: name });
    } catch (error) { sayProblem(error); }
  };
  return html`<form class="card" onSubmit=${submitted(make)}><h2>New product</h2><div class="inputs">
      <label>Name<input required ref=${first} value=${name} onInput=${typed(setName)} placeholder="Acme" /></label>
      <label class="wider">URL of your receiver<input type="url" value=${url} onInput=${typed(setUrl)} /></label></div>
    <p class="actions"><button class="primary">Make it</button></p></form>`;
}

function Target({ of }) {
  const [url, setUrl] = useState(of.webhook.url ?? EXAMPLE);
  useEffect(() => setUrl(of.webhook.url ?? EXAMPLE), [of.webhook.url]);
  const save = () => ask(ofProduct(of._id, "/webhook"), { method: "PUT", body: { url } }).then(() => say("Saved."), sayProblem);
  const test = async () => {
    try { choose((await post(ofProduct(of._id, "/webhook/test"))).delivery._id); } catch (error) { sayProblem(error); }
  };
  return html`<form class="card" onSubmit=${submitted(save)}><h2>Where events go</h2>
    <div class="row-of"><input class="grow mono" type="url" required aria-label="URL of the receiver" value=${url} onInput=${typed(setUrl)} />
      <button class=${url === of.webhook.url ? "" : "primary"}>Save</button><${Act} act=${test} disabled=${!of.webhook.url}>Send a test<//></div>
    ${of.webhook.url ? html`<p class="muted">A test is the sample of <code>customer.created</code>, signed and delivered like any event.</p>` : html`<p>The product has no URL: its events are recorded, and not sent.</p>`}</form>`;
}

/** Right and forged events for the receiver, and the findings with the lines to change. */
function Check({ of }) {
  const [check, setCheck] = useState(null);
  const isRunning = check?.state === "running";
  const run = async () => {
    try {
      const { _id } = await post("checks", { product: of._id });
      for (let found = { state: "running" }; setCheck(found), found.state === "running"; found = await ask(`checks/${_id}`)) {
        await new Promise((done) => { setTimeout(done, LOOK_MS); });
      }
    } catch (error) {
      setCheck(null);
      sayProblem(error);
    }
  };
  return html`<section class="card"><h2>Check my receiver</h2><p class="muted">It gets right and forged events, and may act on them.</p>
    <p class="actions"><${Act} act=${run} disabled=${!of.webhook.url}>${isRunning ? "Checking…" : "Check it"}<//><${Language} /></p>
    <div aria-live="polite">${check?.error && html`<div class="note bad">${check.error}</div>`}${check?.report && html`<${Report} of=${check.report} />`}</div></section>`;
}

function Report({ of }) {
  // What the diagnosis causes is no finding of its own.
  const found = of.checks.filter((each) => FINDINGS.includes(each.verdict) && !each.cause);
  const count = found.length + (of.diagnosis ? 1 : 0);
  const isRight = of.result === "passed" && !count;
  return html`<div class=${`note ${isRight ? "" : "wait"}`}><b>${isRight ? "No mistake found." : plural(count, "finding")}</b><p>${plural(of.counts.pass, "check")} passed, ${of.counts.skipped} left out${of.diagnosis && " until this is mended"}. ${plural(of.requests, "request")} in ${duration(of.seconds * 1000)}.</p>
    ${of.diagnosis && html`<${Finding} title=${of.diagnosis.what} text=${of.diagnosis.proof} fix=${of.diagnosis.fix} isOpen />`}
    ${found.map((each) => html`<${Finding} key=${each.id} title=${each.id} text=${`Sent: ${each.sent}. Expected: ${each.expected}. Got: ${each.got}. ${each.why}`} fix=${each.fix} />`)}</div>`;
}

function Finding({ title, text, fix, isOpen }) {
  const [first = ""] = Object.keys(fix);
  const name = fix[languageOf.value] ? languageOf.value : first;
  const line = fix[name];
  if (!text && !line) return html`<b>${title}</b>`;
  return html`<details open=${isOpen}><summary><b>${title}</b></summary><p><${Words} text=${text} /></p>${line && html`<p class="muted">In ${NAMES[name] ?? name}:</p><${Code} text=${line} label="The line to change" />`}</details>`;
}

function Secrets({ of }) {
  const [isAsking, setAsking] = useState(false);
  const [secret, setSecret] = useState("");
  const shut = () => { setAsking(false); setSecret(""); };
  const rotate = () => {
    post(ofProduct(of._id, "/webhook/rotate"), { secret: secret || undefined }).then(() => say("The secret is a new one."), sayProblem).finally(shut);
  };
  if (!of.webhook.hasSecret) return null;
  return html`<section class="card"><h2>Secret</h2><div class="row-of"><${Secret} product=${of._id} mark=${changeCount("webhooks")} /><button type="button" class="small" onClick=${() => setAsking(true)}>Rotate</button></div>
    <p class="muted">It signs each request. Your receiver needs the same.</p>
    ${isAsking && html`<${Modal} label="Rotate the secret" onClose=${shut}><form onSubmit=${submitted(rotate)}><h2>Make a new secret?</h2><p>New events are signed with it at once. Queued deliveries keep their signatures.</p>
      <label class="stacked">The secret of your receiver, if it has one already<input class="mono" autocomplete="off" spellcheck="false" placeholder="A random one" value=${secret} onInput=${typed(setSecret)} /></label>
      <p class="actions"><button class="primary">Make a new secret</button><button type="button" onClick=${shut}>Cancel</button></p></form><//>`}</section>`;
}

/** Further headers of each request. Their values are not shown, so new ones replace all. */
function Further({ of }) {
  const [text, setText] = useState(null);
  const save = () => {
    const headers = Object.fromEntries(text.split("\n").filter((line) => line.trim()).map((line) => line.split(/:\s*(.*)/s).slice(0, 2)));
    ask(ofProduct(of._id, "/webhook"), { method: "PUT", body: { url: of.webhook.url, headers } }).then(() => { setText(null); say("Saved."); }, sayProblem);
  };
  const names = of.webhook.headers;
  return html`<form class="card" onSubmit=${submitted(save)}><h2>Further headers</h2>
    <p>${names.length ? html`${names.map((name) => html`<code key=${name} class="tag">${name}</code> `)}<span class="muted">with values that are not shown.</span>` : html`<span class="muted">None.</span>`}</p>
    ${text === null ? html`<p class="actions"><button type="button" disabled=${!of.webhook.url} onClick=${() => setText("")}>${names.length ? "Replace them" : "Add headers"}</button></p>`
      : html`<label class="stacked">One a line<textarea class="mono" rows="3" placeholder="X-Environment: test" value=${text} onInput=${typed(setText)}></textarea></label>
        <p class="actions"><button class="primary">Save</button><button type="button" onClick=${() => setText(null)}>Cancel</button></p>`}</form>`;
}

/** How to get a receiver: ours to look at, or a correct one to start from. */
function Receivers({ of }) {
  const [name, setName] = useState(SNIPPETS[0]);
  const { data, error } = useAsk(`snippets/${name}`);
  return html`<section class="card"><h2>Receivers</h2><p>One that verifies and prints what arrives, with the secret in LEANBE_WEBHOOK_SECRET:</p>
    <${Code} text=${`${receiverAt(of.webhook.url)}`} label="Command of a receiver" />
    <label class="row-of">A correct one to start from, for <select value=${name} onChange=${typed(setName)}>${SNIPPETS.map((each) => html`<option key=${each}>${each}</option>`)}</select></label>
    ${error && html`<${Trouble} error=${error} />`}${data && html`<p class="muted">${data.meaning}</p><${Code} text=${data.text} label="A receiver" lines=${24} />`}</section>`;
}
