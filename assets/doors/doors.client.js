// The doors (sign-in, set-up) and the way out: form[data-door]. Sent without leaving the page, so that a mistake costs no retyping.
// data-problems of the form has the sentence for each code (JSON). Without this script they post as plain forms.
//
// A script, since only an answer to the browser's own request may set the session cookie, which no script can read.

import { targetOf } from "../frame/event_target.js";

/** @param {string} name */
const asked = (name) => new URLSearchParams(location.search).get(name);

/**
 * Only paths of this site: the server checks the same again.
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
function say(form, text) {
  const alert = form.querySelector("[role=alert]");
  if (alert) alert.textContent = text;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} code
 * @returns {string}
 */
function sentence(form, code) {
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
 * Gives what is wrong, "" where the door has opened.
 *
 * @param {HTMLFormElement} form
 * @returns {Promise<string>}
 */
async function knock(form) {
  let response;
  try {
    response = await fetch(form.getAttribute("action") ?? "", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fieldsOf(form)),
    });
  } catch {
    return sentence(form, "offline");
  }
  if (response.ok) return "";
  if (response.status === 401 && form.dataset.door === "sign-in") return sentence(form, "invalid");
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? problem.title ?? sentence(form, "failed");
}

/** @param {HTMLFormElement} form */
async function send(form) {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
  say(form, "");
  button.disabled = true;
  const problem = await knock(form);
  if (!problem) {
    location.assign(form.dataset.door === "sign-in" ? localPath(asked("next")) : "/");
    return;
  }
  say(form, problem);
  /** @type {HTMLElement | null} */ (form.querySelector("[type=password]"))?.focus();
  button.disabled = false;
}

document.addEventListener("submit", (event) => {
  const form = targetOf(event)?.closest("form");
  if (!form?.dataset.door) return;
  event.preventDefault();
  if (form.dataset.door === "sign-out") form.submit(); // Reflex keeps every form from being sent by itself
  else send(form);
});

// A plain form that came back says why in the address.
function sayWhy() {
  /** @type {HTMLFormElement | null} */
  const form = document.querySelector("form[data-problems]");
  const code = asked("error");
  if (form && code) say(form, sentence(form, code));
}

if (document.readyState === "complete") sayWhy();
else addEventListener("load", sayWhy);
