// A product's webhook: where events go, with which secret and headers, and a test of it.
import { useEffect, useState } from "preact/hooks";
import { ask, ofProduct } from "./api.js";
import { Act, Code, html, Lazy, Modal, portOf, say, sayProblem } from "./parts.js";
import { choose, go } from "./route.js";
import { changeCount, product, readProducts } from "./server.js";
import { Secret } from "./signature.js";

const SNIPPETS = "express node fastapi flask django php go ruby java csharp webhook".split(" ");
const EXAMPLE = "http://127.0.0.1:8000/hooks/leanbe";

export function Webhook() {
  const [isNew, setNew] = useState(false);
  const of = product.value;
  return html`<main class="page"><div class="bar"><h1>Webhook</h1>${of && html`<span class="grow muted">of ${of.name}</span><button type="button" onClick=${() => setNew(!isNew)}>New product</button>`}</div>
    <div class="scroll" tabindex="-1"><div class="column">
      ${(isNew || !of) && html`<${NewProduct} onMade=${() => setNew(false)} />`}
      ${of && html`<${Target} key=${of._id} of=${of} /><${Lazy} key=${`${of._id} check`} name="Check" load=${() => import("./checks.js")} of=${of} /><${Secrets} of=${of} /><${Further} key=${`${of._id} headers`} of=${of} /><${Receivers} of=${of} />`}</div></div></main>`;
}

/** A form of two fields: all that a product needs. */
function NewProduct({ onMade }) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState(EXAMPLE);
  const make = async (event) => {
    event.preventDefault();
    try {
      await ask("products", { method: "POST", body: { name, webhook: url ? { url } : undefined } });
      await readProducts();
      onMade();
      go("webhook", { product: name });
    } catch (error) { sayProblem(error); }
  };
  return html`<form class="card" onSubmit=${make}><h2>New product</h2><div class="inputs">
      <label>Name<input required value=${name} onInput=${(event) => setName(event.target.value)} placeholder="Acme" /></label>
      <label class="wider">URL of your receiver<input type="url" value=${url} onInput=${(event) => setUrl(event.target.value)} /></label></div>
    <p class="actions"><button class="primary">Make it</button></p></form>`;
}

function Target({ of }) {
  const [url, setUrl] = useState(of.webhook.url ?? EXAMPLE);
  useEffect(() => setUrl(of.webhook.url ?? EXAMPLE), [of.webhook.url]);
  const save = (event) => {
    event.preventDefault();
    ask(ofProduct(of._id, "/webhook"), { method: "PUT", body: { url } }).then(() => say("Saved."), sayProblem);
  };
  const test = async () => {
    try { choose((await ask(ofProduct(of._id, "/webhook/test"), { method: "POST" })).delivery._id); } catch (error) { sayProblem(error); }
  };
  return html`<form class="card" onSubmit=${save}><h2>Where events go</h2>
    <div class="row-of"><input class="grow mono" type="url" required aria-label="URL of the receiver" value=${url} onInput=${(event) => setUrl(event.target.value)} />
      <button class=${url === of.webhook.url ? "" : "primary"}>Save</button><${Act} act=${test} disabled=${!of.webhook.url}>Send a test<//></div>
    ${of.webhook.url ? html`<p class="muted">A test is the sample of <code>customer.created</code>, signed and delivered like any event.</p>` : html`<p>The product has no URL: its events are recorded, and not sent.</p>`}</form>`;
}

function Secrets({ of }) {
  const [isAsking, setAsking] = useState(false);
  const rotate = () => ask(ofProduct(of._id, "/webhook/rotate"), { method: "POST" }).then(() => say("The secret is a new one."), sayProblem).finally(() => setAsking(false));
  if (!of.webhook.hasSecret) return null;
  return html`<section class="card"><h2>Secret</h2><div class="row-of"><${Secret} product=${of._id} mark=${changeCount("webhooks")} /><button type="button" class="small" onClick=${() => setAsking(true)}>Rotate</button></div>
    <p class="muted">It signs each request. Your receiver needs the same.</p>
    ${isAsking && html`<${Modal} label="Rotate the secret" onClose=${() => setAsking(false)}><h2>Make a new secret?</h2><p>New events are signed with it at once. Queued deliveries keep their signatures.</p>
      <p class="actions"><${Act} kind="primary" act=${rotate}>Make a new secret<//><button type="button" onClick=${() => setAsking(false)}>Cancel</button></p><//>`}</section>`;
}

/** Further headers of each request. Their values are not shown, so new ones replace all. */
function Further({ of }) {
  const [text, setText] = useState(null);
  const save = (event) => {
    event.preventDefault();
    const headers = Object.fromEntries(text.split("\n").filter((line) => line.trim()).map((line) => line.split(/:\s*(.*)/s).slice(0, 2)));
    ask(ofProduct(of._id, "/webhook"), { method: "PUT", body: { url: of.webhook.url, headers } }).then(() => { setText(null); say("Saved."); }, sayProblem);
  };
  const names = of.webhook.headers;
  return html`<form class="card" onSubmit=${save}><h2>Further headers</h2>
    <p>${names.length ? html`${names.map((name) => html`<code key=${name} class="tag">${name}</code> `)}<span class="muted">with values that are not shown.</span>` : html`<span class="muted">None.</span>`}</p>
    ${text === null ? html`<p class="actions"><button type="button" disabled=${!of.webhook.url} onClick=${() => setText("")}>${names.length ? "Replace them" : "Add headers"}</button></p>`
      : html`<label class="stacked">One a line<textarea class="mono" rows="3" placeholder="X-Environment: test" value=${text} onInput=${(event) => setText(event.target.value)}></textarea></label>
        <p class="actions"><button class="primary">Save</button><button type="button" onClick=${() => setText(null)}>Cancel</button></p>`}</form>`;
}

/** How to get a receiver: ours to look at, or a correct one to start from. */
function Receivers({ of }) {
  const [name, setName] = useState(SNIPPETS[0]);
  const port = portOf(of.webhook.url);
  return html`<section class="card"><h2>Receivers</h2><p>One that verifies and prints what arrives, with the secret in LEANBE_SECRET:</p>
    <${Code} text=${`leanbe-emitter receiver --secret env:LEANBE_SECRET --port ${port}`} label="Command of a receiver" />
    <label class="row-of">A correct one to start from, for <select value=${name} onChange=${(event) => setName(event.target.value)}>${SNIPPETS.map((each) => html`<option key=${each}>${each}</option>`)}</select></label>
    <${Code} text=${`leanbe-emitter snippet ${name}`} label="Command of a snippet" /></section>`;
}
