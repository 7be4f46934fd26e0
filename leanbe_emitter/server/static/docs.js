// Reads the API's document, with a token where the server has one, and gives it to Swagger UI.
"use strict";

const asking = document.getElementById("asking");
const token = document.getElementById("token");
const trouble = document.getElementById("trouble");

/** The token is kept nowhere but in the page, and goes with it. */
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
      refused(document);
    }
  } catch (error) {
    trouble.textContent = `The server does not answer: ${error.message}`;
  }
}

/** Ask for the token, and say what is wrong, unless it is that nobody was asked for it yet. */
function refused(problem) {
  const wasAsked = !asking.hidden;
  asking.hidden = problem.status !== 401;
  trouble.textContent = asking.hidden || wasAsked ? problem.detail : "";
  token.focus();
}

function show(document) {
  // The page has asked for the token, so that Swagger UI need not.
  delete document.security;
  delete document.components.securitySchemes;
  SwaggerUIBundle({
    spec: document,
    dom_id: "#api",
    deepLinking: true,
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    filter: true,
    plugins: [whatCanBeTried],
    requestInterceptor: authorized,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
}

function authorized(request) {
  Object.assign(request.headers, authorization());
  return request;
}

/** Swagger UI shows an answer when it has ended, and a stream does not end. */
function whatCanBeTried() {
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
