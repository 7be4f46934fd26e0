// Loads the OpenAPI document, with the token if the server has one, and shows it in Swagger UI.
"use strict";

const asking = document.getElementById("asking");
const token = document.getElementById("token");
const trouble = document.getElementById("trouble");

/** Return the header with the token, which only the page's input field holds. */
function authorization() {
  return token.value ? { Authorization: `Bearer ${token.value}` } : {};
}

async function open() {
  trouble.textContent = "";
  try {
    const answer = await fetch("openapi.json", { headers: authorization() });
    const document = await answer.json();
    if (answer.ok) {
      asking.remove();
      show(document);
    } else {
      showProblem(document);
    }
  } catch (error) {
    trouble.textContent = `The server does not answer: ${error.message}`;
  }
}

/** Ask for the token, and show the problem unless this is the first request for the token. */
function showProblem(problem) {
  const wasAsked = !asking.hidden;
  asking.hidden = problem.status !== 401;
  trouble.textContent = asking.hidden || wasAsked ? problem.detail : "";
  token.focus();
}

function show(document) {
  // The page asks for the token itself: Swagger UI must not ask again.
  delete document.security;
  delete document.components.securitySchemes;
  SwaggerUIBundle({
    spec: document,
    dom_id: "#api",
    deepLinking: true,
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    filter: true,
    plugins: [withOwnReferences, withoutStream],
    requestInterceptor: authorized,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
}

function authorized(request) {
  Object.assign(request.headers, authorization());
  return request;
}

/**
 * Replace Swagger UI's resolver, which takes seconds to resolve a part of the document.
 *
 * Ours only knows references into the document itself, and this document has no others.
 */
function withOwnReferences() {
  const resolveSubtree = async (document, path) => ({
    spec: resolved(at(document, path), document),
    errors: [],
  });
  return { fn: { resolveSubtree } };
}

/** Return the part of the document at a path; undefined if there is none. */
function at(document, path) {
  return path.reduce((part, key) => part?.[key], document);
}

/** Return a value of the document with the content of each reference in its place. */
function resolved(value, document) {
  if (value === null || typeof value !== "object") {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((each) => resolved(each, document));
  }
  if (typeof value.$ref === "string") {
    return resolved(at(document, value.$ref.slice("#/".length).split("/")), document);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, resolved(each, document)]),
  );
}

/** Disable "Try it out" for the stream: Swagger UI shows a response at its end only. */
function withoutStream() {
  const allowTryItOutFor = () => (_, path) => !path.endsWith("/stream");
  return { statePlugins: { spec: { wrapSelectors: { allowTryItOutFor } } } };
}

function follow(dark) {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", follow);
follow(dark);
asking.addEventListener("submit", (event) => {
  event.preventDefault();
  open();
});
open();
