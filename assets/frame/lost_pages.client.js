// Says that the server cannot reach Redis, which keeps the state of open pages, and reloads the page once it can.
//
// A script, since without that state the server can tell the page nothing.

const INTERVAL = 2_000; // ms
const PATIENCE = 5_000; // ms that a page may take to load before its server is asked
const LOST = "The server cannot reach Redis, which keeps the state of open pages. This page goes on by itself once it can.";

let lost = false;
let loadingSince = 0;

function tell() {
  lost = true;
  if (document.querySelector(".page-lost")) return;
  const told = document.createElement("p");
  told.className = "page-lost";
  told.setAttribute("role", "alert");
  told.textContent = LOST;
  document.body.append(told);
}

// Returns whether the server can keep the state of pages; null if it does not say.
async function askServer() {
  try {
    const { pages } = await (await fetch("/api/health/ready", { cache: "no-store" })).json();
    return pages === undefined ? null : pages === "ok";
  } catch {
    return null;
  }
}

function isLoading() {
  /** @type {HTMLElement | null} */
  const app = document.querySelector(".app[data-hydrated]");
  return app?.dataset.hydrated === "false";
}

async function look() {
  if (!isLoading()) loadingSince = 0;
  else loadingSince ||= performance.now();
  if (!lost && (!loadingSince || performance.now() - loadingSince < PATIENCE)) return;
  const kept = await askServer();
  if (kept === false) tell();
  if (kept && lost) location.reload();
}

addEventListener("pages-lost", tell); // sent by the server with a failed event
setInterval(() => {
  if (!document.hidden) look();
}, INTERVAL);
