// A form from an event's JSON Schema. It changes the value that it is given, never in place.
import { useState } from "preact/hooks";
import { html } from "./parts.js";

const LONG = /HTML$|^description$|^note$|^body$/;
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const typeOf = (schema) => [schema?.type ?? "anything"].flat()[0];
/** Whether a field of the schema's type can show a value. */
const FITS = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  integer: (value) => typeof value === "number",
  number: (value) => typeof value === "number",
};

/** The fields of an object: those of the schema in its order, and then any others. */
export function Fields({ schema, value, change, path = "" }) {
  const known = schema.properties ?? {};
  const names = [...Object.keys(known), ...Object.keys(value).filter((name) => !Object.hasOwn(known, name))];
  const set = (name, member) => change(ordered({ ...value, [name]: member }, names));
  const remove = (name) => {
    const { [name]: _, ...rest } = value;
    change(rest);
  };
  const isRequired = (name) => schema.required?.includes(name) ?? false;
  const absent = names.filter((name) => !Object.hasOwn(value, name));
  return html`${names.filter((name) => Object.hasOwn(value, name)).map((name) => html`<${Field} key=${name} name=${name} path=${`${path}.${name}`} schema=${known[name]} value=${value[name]} change=${(member) => set(name, member)} remove=${isRequired(name) ? null : () => remove(name)} />`)}
    ${absent.length > 0 && html`<div class="row-of absent"><span class="muted">Left out:</span>${absent.map((name) => html`<button type="button" class="small" key=${name} title=${known[name].description} onClick=${() => set(name, blank(known[name]))}>+ ${name}</button>`)}</div>`}`;
}

/** Members in the order of the schema, which is the order of Leanbe's documents. */
const ordered = (value, names) => Object.fromEntries(names.filter((name) => Object.hasOwn(value, name)).map((name) => [name, value[name]]));

function Field({ name, path, schema, value, change, remove }) {
  const type = typeOf(schema);
  const label = html`<span class="label" title=${schema?.description}>${name}${schema?.["x-leanbe-source"] === "inferred" && html`<abbr title="Inferred: the article does not show it">~</abbr>`}</span>`;
  const without = remove && html`<button type="button" class="plain small" aria-label=${`Leave out ${name}`} title="Leave it out" onClick=${remove}>✕</button>`;
  if (type === "object" && isObject(value)) return html`<fieldset><legend>${label}${without}</legend><${Fields} schema=${schema} value=${value} change=${change} path=${path} /></fieldset>`;
  if (type === "array" && Array.isArray(value)) return html`<${Items} name=${name} path=${path} label=${label} without=${without} schema=${schema.items ?? {}} value=${value} change=${change} />`;
  return html`<div class="field"><label for=${path}>${label}</label><${Value} id=${path} type=${FITS[type]?.(value) ? type : "anything"} name=${name} schema=${schema} value=${value} change=${change} />${without}</div>`;
}

function Items({ name, path, label, without, schema, value, change }) {
  return html`<fieldset><legend>${label}${without}</legend>
    ${value.map((item, at) => html`<div class="item" key=${at}><div>${isObject(item) ? html`<${Fields} schema=${schema} value=${item} path=${`${path}.${at}`} change=${(next) => change(value.with(at, next))} />` : html`<${Field} name=${`${at}`} path=${`${path}.${at}`} schema=${schema} value=${item} change=${(next) => change(value.with(at, next))} />`}</div>
      <button type="button" class="plain small" aria-label=${`Remove ${name} ${at + 1}`} onClick=${() => change(value.toSpliced(at, 1))}>✕</button></div>`)}
    <button type="button" class="small" onClick=${() => change([...value, blank(schema)])}>+ ${name}</button></fieldset>`;
}

function Value({ id, type, name, schema, value, change }) {
  if (type === "boolean") return html`<input id=${id} type="checkbox" checked=${value} onChange=${(event) => change(event.target.checked)} />`;
  if (type === "anything") return html`<${Json} id=${id} value=${value} change=${change} />`;
  if (type === "string") {
    const onInput = (event) => change(event.target.value);
    if (LONG.test(name) || value.length > 80 || value.includes("\n")) return html`<textarea id=${id} rows="2" value=${value} onInput=${onInput}></textarea>`;
    return html`<input id=${id} value=${value} onInput=${onInput} spellcheck="false" />`;
  }
  const onInput = (event) => event.target.value !== "" && change(event.target.valueAsNumber);
  return html`<input id=${id} type="number" step=${type === "integer" ? 1 : "any"} min=${schema.minimum} max=${schema.maximum} value=${value} onInput=${onInput} />`;
}

/** A value of any type, as JSON. */
function Json({ id, value, change }) {
  const [text, setText] = useState(null);
  const onInput = (event) => {
    setText(event.target.value);
    try { change(JSON.parse(event.target.value)); } catch { /* not yet a value */ }
  };
  return html`<input id=${id} class="mono" value=${text ?? JSON.stringify(value)} onInput=${onInput} onBlur=${() => setText(null)} spellcheck="false" />`;
}

/** Return the emptiest value that a schema has. */
function blank(schema) {
  const type = typeOf(schema);
  if (type === "object") return Object.fromEntries((schema.required ?? []).map((name) => [name, blank(schema.properties[name])]));
  if (schema.const !== undefined) return schema.const;
  return { array: [], boolean: false, integer: schema.minimum ?? 0, number: 0, anything: null }[type] ?? "";
}
