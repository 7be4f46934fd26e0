// Asks the API. The token is in the tab alone: no cookie has it, and no address after the first.
import { signal } from "@preact/signals";

const BASE = new URL("api/v1/", document.baseURI);
const CURSOR = "Leanbe-Emitter-Cursor";

/** What the login says; null: the server let the last request in. */
export const loginReason = signal(null);
/** Counts logins: what was read before may be incomplete. */
export const session = signal(0);

/** An answer that is a problem, or no answer (`code` is then `unreachable`). */
export class Problem extends Error {
  constructor({ detail, title, hint, code, status }) {
    super(detail ?? title ?? "The server's answer is no JSON.");
    Object.assign(this, { hint: hint ?? "", code: code ?? "", status: status ?? 0 });
  }
}

let token = tokenOfAddress() ?? stored();

/** Return the token of `#token=...`, and take it off the address, so that no history has it. */
function tokenOfAddress() {
  const found = location.hash.match(/^#token=(.+)$/s);
  if (!found) return undefined;
  history.replaceState(null, "", "#/deliveries");
  const text = decodeURIComponent(found[1]);
  store(text);
  return text;
}

function stored() {
  try {
    return sessionStorage.getItem("token") ?? "";
  } catch {
    return "";
  }
}

function store(text) {
  try {
    sessionStorage.setItem("token", text);
  } catch {
    // It lasts until the page is loaded again.
  }
}

/** Use a token from now on. */
export function logIn(text) {
  token = text;
  store(text);
  loginReason.value = null;
  session.value += 1;
}

export const authorization = () => (token ? { Authorization: `Bearer ${token}` } : {});

/** Return the URL of an operation; parameters without a value are left out. */
export function urlOf(path, query = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

/** Return the path of a product's operation. */
export const ofProduct = (product, rest = "") => `products/${encodeURIComponent(product)}${rest}`;

/** Ask, and return the answer's JSON. `text` goes over as it is: `JSON.stringify` of a parsed text would change it. */
export async function ask(path, request = {}) {
  return (await askWithCursor(path, request)).data;
}

/** Act: ask by POST. */
export const post = (path, body, more) => ask(path, { method: "POST", body, ...more });

/** Ask, and return the answer's JSON with the journal's cursor from before it. */
export async function askWithCursor(path, { method = "GET", query, body, text, signal } = {}) {
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const answer = await reach(urlOf(path, query), { method, body: sent, signal });
  const told = await answer.text();
  if (!answer.ok) throw refused(answer, told);
  return { data: told ? JSON.parse(told) : null, cursor: answer.headers.get(CURSOR) ?? undefined };
}

async function reach(url, options) {
  try {
    return await fetch(url, { ...options, headers: authorization() });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ code: "unreachable", detail: "The server does not answer.", hint: "Is it still running?" });
  }
}

/** Return the problem of an answer; without a token, the login comes up as well. */
export function refused(answer, told) {
  let problem;
  try {
    problem = new Problem(JSON.parse(told));
  } catch {
    problem = new Problem({ title: `${answer.status} ${answer.statusText}`, status: answer.status });
  }
  if (answer.status === 401) loginReason.value = token ? "wrong" : "missing";
  return problem;
}
