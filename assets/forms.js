// The doors (sign-in, set-up): sent without leaving the page, so that a mistake costs no retyping. Without this script they post as
// plain forms.

const PROBLEMS = {
  invalid: "The email or the password is not right.",
  throttled: "Too many attempts. Wait a little, then try again.",
  offline: "Network error. Check the connection, then try again.",
  failed: "That did not work. Try again in a moment.",
  password_short: "Use a password of at least 8 characters.",
  password_long: "Use a shorter password.",
  password_guessable: "This password is among the first that are tried. Choose another.",
  email_invalid: "This is not an email address.",
  name_invalid: "Give a name.",
  setup_link_invalid: "This link was used already, or is too old. The next start of clipviewer prints a new one.",
};

const query = () => new URLSearchParams(location.search);

// Only paths of this site: the server checks the same again.
function localPath(path) {
  if (!path?.startsWith("/")) return "/";
  const target = new URL(path, location.origin);
  return target.origin === location.origin ? target.pathname + target.search : "/";
}

function say(form, text) {
  form.querySelector("[role=alert]").textContent = text;
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-door]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.door === "sign-out") {
    form.submit(); // Reflex keeps every form from being sent by itself
    return;
  }
  const fields = Object.fromEntries(new FormData(form));
  const button = form.querySelector("[type=submit]");
  if (form.dataset.door === "set-up") fields.token = location.pathname.split("/").filter(Boolean).pop();
  delete fields.next;
  say(form, "");
  button.disabled = true;
  try {
    const response = await fetch(form.getAttribute("action"), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
    });
    if (response.ok) {
      location.assign(form.dataset.door === "sign-in" ? localPath(query().get("next")) : "/");
      return;
    }
    const problem = await response.json().catch(() => ({}));
    say(form, response.status === 401 && form.dataset.door === "sign-in" ? PROBLEMS.invalid : (problem.detail ?? problem.title ?? PROBLEMS.failed));
    form.querySelector("[type=password]").focus();
  } catch {
    say(form, PROBLEMS.offline);
  }
  button.disabled = false;
});

// A plain form that came back says why in the address.
addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-door]:has([role=alert])");
  const code = query().get("error");
  if (form && code) say(form, PROBLEMS[code] ?? PROBLEMS.failed);
});
