// The forms for sign-in, set-up and sign-out: form[data-door]. They are sent without leaving the page, so that input survives a mistake.
// data-problems of the form has a sentence for each error code (JSON). Without this script they post as plain forms.
//
// A script, since only a response to the browser's own request can set the session cookie, which no script can read.

import { targetOf } from "../frame/event_target.js";

/** @param {string} name */
const queryParameter = (name) => new URLSearchParams(location.search).get(name);

/**
 * Returns the path if it is one of this site, otherwise "/". The server checks it again.
 *
 * @param {string | null} path
 */
function localPath(path) {
  if (!path?.startsWith("/")) return "/";
  const target = new URL(path, location.origin);
  return target.origin === location.origin ? target.pathname + target.search : "/";
}

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 */
function showMessage(form, text) {
  const alert = form.querySelector("[role=alert]");
  if (alert) alert.textContent = text;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} code
 * @returns {string}
 */
function messageFor(form, code) {
  const problems = JSON.parse(form.dataset.problems ?? "{}");
  return problems[code] ?? problems.failed;
}

/** @param {HTMLFormElement} form */
function fieldsOf(form) {
  const fields = Object.fromEntries(new FormData(form));
  delete fields.next;
  return form.dataset.door === "set-up" ? { ...fields, token: location.pathname.split("/").filter(Boolean).pop() } : fields;
}

/**
 * Sends the form. Returns an error message, or "" on success.
 *
 * @param {HTMLFormElement} form
 * @returns {Promise<string>}
 */
async function post(form) {
  let response;
  try {
    response = await fetch(form.getAttribute("action") ?? "", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fieldsOf(form)),
    });
  } catch {
    return messageFor(form, "offline");
  }
  if (response.ok) return "";
  if (response.status === 401 && form.dataset.door === "sign-in") return messageFor(form, "invalid");
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? problem.title ?? messageFor(form, "failed");
}

/** @param {HTMLFormElement} form */
async function submit(form) {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
  showMessage(form, "");
  button.disabled = true;
  const problem = await post(form);
  if (!problem) {
    location.assign(form.dataset.door === "sign-in" ? localPath(queryParameter("next")) : "/");
    return;
  }
  showMessage(form, problem);
  /** @type {HTMLElement | null} */ (form.querySelector("[type=password]"))?.focus();
  button.disabled = false;
}

document.addEventListener("submit", (event) => {
  const form = targetOf(event)?.closest("form");
  if (!form?.dataset.door) return;
  event.preventDefault();
  if (form.dataset.door === "sign-out") form.submit(); // Reflex prevents the default submission of every form
  else submit(form);
});

// A plain form that was refused comes back with the error code in the address.
function showErrorFromAddress() {
  /** @type {HTMLFormElement | null} */
  const form = document.querySelector("form[data-problems]");
  const code = queryParameter("error");
  if (form && code) showMessage(form, messageFor(form, code));
}

if (document.readyState === "complete") showErrorFromAddress();
else addEventListener("load", showErrorFromAddress);
