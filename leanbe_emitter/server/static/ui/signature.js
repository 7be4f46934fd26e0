// The signature of a delivery step by step, its secret, and what a receiver computed instead.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { ask, ofProduct, post } from "./api.js";
import { Act, Code, copy, html, Modal, sayProblem, submitted, Trouble, typed, useAsk } from "./parts.js";

const SECRETS = { current: "the product's secret", earlier: "an earlier secret of the product", other: "a secret that is not the product's" };
const SCHEMES = {
  hmac: "HMAC-SHA256 of this text, with",
  "sha256-payload-secret": "SHA-256 of this text, followed by",
  "sha256-secret-payload": "SHA-256 of this text, after",
};
const PLACES = { body: "the body's signature", header: "a header", both: "the body's signature, and in a header" };

/** Answers of a receiver that may refuse the signature. */
export const REFUSALS = [400, 401, 403];

export function Signature({ id, attempt, mark, product }) {
  const number = attempt?.number;
  const { data, error } = useAsk(`deliveries/${id}/signature`, { query: { attempt: number }, mark });
  const refusal = attempt?.fault ? 0 : attempt?.answer?.status;
  return html`<section class="card" id="signature"><h3>Signature, step by step</h3>
    ${error && html`<${Trouble} error=${error} />`}
    ${data && html`<${Steps} of=${data} product=${product} /><${Verdict} of=${data} refusal=${REFUSALS.includes(refusal) && refusal} />`}
    <${Explain} id=${id} attempt=${number} key=${id} /></section>`;
}

function Steps({ of, product }) {
  if (of.signedText === null) return html`<p>The body is no whole envelope, so no text in it is signed.</p>`;
  const text = of.content === "payload" ? html`The text of <b>payload</b>, as it stands in the body` : html`The whole body, with <b>signature</b> left out`;
  return html`<ol class="steps">
    <li><div>${text}<${Code} text=${of.signedText} label="The signed text" lines=${4} /></div></li>
    <li><div>${SCHEMES[of.scheme] ?? of.scheme} ${SECRETS[of.secret] ?? "a secret"}${of.secret === "current" && html` <${Secret} product=${product} />`}</div></li>
    <li><div>In lower-case hex, in ${PLACES[of.location] ?? of.location}${of.signature === null ? html`<p><b>This request has no signature.</b></p>` : html`<${Code} text=${of.signature} label="The signature" lines=${3} />`}</div></li></ol>`;
}

/** Whether the signature that we sent is right, what changed it if not, and what to do if the receiver refused it. */
function Verdict({ of, refusal }) {
  const changed = Object.entries(of.assumptions);
  return html`${of.verifies
      ? html`<p class="verdict"><span class="good" aria-hidden="true">✓</span> The signature that was sent is right. It verifies with the product's secret.</p>
        ${refusal && html`<div class="note wait"><b>The receiver answered ${refusal} all the same.</b><p>If it refuses the signature, it computed another one. Paste that below, and Explain names the mistake. Without it, Find my mistake asks the receiver.</p></div>`}`
      : html`<p class="verdict"><span class="wrong" aria-hidden="true">✕</span> What was sent does not verify with the product's secret${of.fault ? html`: the fault <b>${of.fault}</b> made it so` : of.secret === "earlier" ? ": the secret was rotated since" : ""}.</p>`}
    ${changed.length > 0 && html`<p class="muted">By the product's assumptions: ${changed.map(([name, value]) => `${name} = ${value}`).join(", ")}.</p>`}`;
}

function Explain({ id, attempt }) {
  const [got, setGot] = useState("");
  const [found, setFound] = useState(null);
  const [isAsking, setAsking] = useState(false);
  const lang = languageOf.value;
  const explain = (what) => post(`deliveries/${id}/explain`, { ...what, lang: lang || undefined }).then(setFound, sayProblem);
  const explainGot = () => explain({ got: got.trim() || undefined, attempt });
  useEffect(() => { if (found && !found.probe) explainGot(); }, [lang]);
  const probe = () => explain({ probe: true }).finally(() => setAsking(false));
  return html`<form class="explain" onSubmit=${submitted(explainGot)}>
      <label for="got">What your receiver computed</label>
      <div class="row-of"><input id="got" class="mono grow" placeholder="Paste its signature" spellcheck="false" autocomplete="off" value=${got} onInput=${typed(setGot)} />
        <${Language} /><button>Explain</button></div>
      <p class="muted">Or ask the receiver itself: <button type="button" class="small" onClick=${() => setAsking(true)}>Find my mistake…</button></p></form>
    ${found && html`<${Explanation} of=${found} />`}
    ${isAsking && html`<${Modal} label="Find my mistake" onClose=${() => setAsking(false)}><h2>Ask the receiver?</h2>
      <p>It gets up to some hundred requests, signed as each known mistake would sign this event, and may act on those that it accepts.</p>
      <p class="actions"><${Act} kind="primary" act=${probe}>Find my mistake<//><button type="button" onClick=${() => setAsking(false)}>Cancel</button></p><//>`}`;
}

const LANGUAGES = [["", "Any language"], ["javascript", "JavaScript"], ["typescript", "TypeScript"], ["python", "Python"], ["php", "PHP"], ["go", "Go"], ["ruby", "Ruby"], ["java", "Java"], ["csharp", "C#"]];
export const NAMES = Object.fromEntries(LANGUAGES);
const GOOD = ["text-right", "body-sound", "accepts-the-right-one"];

/** The language of the receiver, for the lines that mend it; "": the mistake tells it. */
export const languageOf = signal("");

export const Language = () => html`<select aria-label="Language of your receiver" value=${languageOf.value} onChange=${(event) => { languageOf.value = event.target.value; }}>
  ${LANGUAGES.map(([name, text]) => html`<option key=${name} value=${name}>${text}</option>`)}</select>`;

export function Explanation({ of }) {
  return html`<div class=${`note ${GOOD.includes(of.verdict) ? "" : "wait"}`} role="status">
    <b>${of.summary}</b>${of.hint && html`<p>${of.hint}</p>`}
    ${of.mistakes.slice(0, of.verdict === "body-sound" ? 0 : 3).map((each) => html`<${Mistake} key=${each.name} of=${each} />`)}
    ${of.difference && html`<${Difference} of=${of.difference} />`}</div>`;
}

const Mistake = ({ of }) => html`<p>${of.what}</p><p class="muted">In ${NAMES[of.language] ?? of.language}:</p><${Code} text=${of.fix} label="The line that mends it" />`;

const Difference = ({ of }) => html`<table class="headers"><caption>The first difference is at byte ${of.offset}.</caption><tbody>
  ${[["Right", of.expected], ["Yours", of.found]].map(([name, side]) => html`<tr key=${name}><th scope="row">${name}</th><td class="mono">${side.text}</td></tr>`)}</tbody></table>`;

const SHOWN_MS = 30_000;

/** A product's secret: asked for when somebody wants to see it, and gone after half a minute. */
export function Secret({ product, mark = "" }) {
  const [secret, setSecret] = useState("");
  useEffect(() => setSecret(""), [product, mark]);
  useEffect(() => {
    if (!secret) return undefined;
    const timer = setTimeout(() => setSecret(""), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [secret]);
  const get = () => ask(ofProduct(product, "/webhook/secret"));
  const reveal = () => get().then((found) => setSecret(found.secret), sayProblem);
  const copyIt = () => get().then((found) => copy(found.secret, "Secret"), sayProblem);
  return html`<span class="secret"><code class="mono" aria-label=${secret ? "The secret" : "The secret, hidden"} role="img">${secret || "••••••••"}</code>
    <button type="button" class="small" onClick=${() => (secret ? setSecret("") : reveal())}>${secret ? "Hide" : "Reveal"}</button>
    <button type="button" class="small" onClick=${copyIt}>Copy</button></span>`;
}
