// Check my receiver: right and forged events, and the findings with the lines to change.
import { useEffect, useState } from "preact/hooks";
import { ask } from "./api.js";
import { languageOf } from "./signature.js";
import { Act, Code, html, plural, sayProblem, Words } from "./parts.js";

const LOOK_MS = 500;
const FINDINGS = ["fail", "error", "warn"];

export function Check({ of }) {
  const [check, setCheck] = useState(null);
  const isRunning = check?.state === "running";
  useEffect(() => {
    if (!isRunning) return undefined;
    const timer = setTimeout(() => ask(`checks/${check._id}`).then(setCheck, sayProblem), LOOK_MS);
    return () => clearTimeout(timer);
  }, [check]);
  const begin = () => ask("checks", { method: "POST", body: { product: of._id } }).then(({ _id }) => setCheck({ _id, state: "running" }), sayProblem);
  return html`<section class="card"><h2>Check my receiver</h2><p class="muted">It gets right and forged events, and may act on them.</p>
    <p class="actions"><${Act} act=${begin} disabled=${isRunning || !of.webhook.url}>${isRunning ? "Checking…" : "Check it"}<//></p>
    <div aria-live="polite">${check?.error && html`<div class="note bad">${check.error}</div>`}${check?.report && html`<${Report} of=${check.report} />`}</div></section>`;
}

function Report({ of }) {
  const found = of.checks.filter((each) => FINDINGS.includes(each.verdict));
  const isRight = of.result === "passed" && !found.length;
  return html`<div class=${`note ${isRight ? "" : "wait"}`}><b>${isRight ? "No mistake found." : plural(found.length, "finding")}</b> ${of.counts.pass} passed, ${of.counts.skipped} skipped, ${plural(of.requests, "request")} in ${of.seconds.toFixed(1)} s.
    ${of.diagnosis && html`<${Finding} title=${of.diagnosis.what} text=${of.diagnosis.proof} fix=${of.diagnosis.fix} />`}
    ${found.map((each) => html`<${Finding} key=${each.id} title=${each.id} text=${each.cause ? `See ${each.cause}.` : `Sent: ${each.sent}. Expected: ${each.expected}. Got: ${each.got}. ${each.why}`} fix=${each.fix} />`)}</div>`;
}

function Finding({ title, text, fix }) {
  const line = fix[languageOf.value] ?? Object.values(fix)[0];
  if (!text && !line) return html`<b>${title}</b>`;
  return html`<details><summary><b>${title}</b></summary><p><${Words} text=${text} /></p>${line && html`<${Code} text=${line} label="The line to change" />`}</details>`;
}
