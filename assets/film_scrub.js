// A video is looked through on its card: the pointer over the poster, a finger across it, or the arrow keys on the focused card show the
// picture of that place. Inside .poster lies an empty <div class="film" data-film="{video id}">; its pictures are fetched at first use.

const REST_MS = 70; // over a poster, before anything is fetched for it
const DRAG = 8; // CSS pixels before a finger looks through instead of tapping
const STEP = 1 / 20;
const strips = new Map(); // video id → {strip, until (ms)}
const sheets = new Map(); // URL → its loaded picture, as a promise

let shown = null; // {film, share}
let waiting = 0;
let finger = null; // {x, moved}

const filmOf = (target) => target?.closest?.(".poster")?.querySelector(".film") ?? null;

function stripOf(id) {
  const known = strips.get(id);
  if (known && known.until > Date.now()) return known.strip;
  const entry = { until: Date.now() + 60_000 };
  entry.strip = fetch(`/api/clips/videos/${id}/filmstrip`)
    .then((answer) => (answer.ok ? answer.json() : null))
    .then((strip) => {
      if (strip) entry.until = Date.parse(strip.expiresAt) - 60_000;
      return strip;
    })
    .catch(() => null);
  strips.set(id, entry);
  return entry.strip;
}

function sheetAt(url) {
  if (!sheets.has(url)) {
    const image = Object.assign(new Image(), { src: url });
    sheets.set(url, image.decode().then(() => image, () => (sheets.delete(url), null)));
  }
  return sheets.get(url);
}

function hide() {
  clearTimeout(waiting);
  shown?.film.removeAttribute("data-on");
  shown = null;
}

// `share` of the video, 0 to 1.
async function show(film, share) {
  if (shown && shown.film !== film) hide();
  const mine = (shown = { film, share });
  const strip = await stripOf(film.dataset.film);
  if (shown !== mine || !strip) return;
  const count = strip.sheets.reduce((sum, sheet) => sum + sheet.count, 0);
  let place = Math.min(count - 1, Math.floor(share * count));
  let sheet = strip.sheets[0];
  for (const each of strip.sheets) {
    sheet = each;
    if (place < each.count) break;
    place -= each.count;
  }
  if (!(await sheetAt(sheet.url)) || shown !== mine) return;
  draw(film, strip, sheet, place, share);
}

function draw(film, { width, height }, { url, columns, rows }, place, share) {
  const picture = film.firstElementChild ?? film.appendChild(document.createElement("div"));
  const along = (index, all) => (all > 1 ? `${(index / (all - 1)) * 100}%` : "0%");
  Object.assign(picture.style, {
    aspectRatio: `${width} / ${height}`,
    [width * 9 < height * 16 ? "width" : "height"]: "100%",
    backgroundImage: `url("${url}")`,
    backgroundSize: `${columns * 100}% ${rows * 100}%`,
    backgroundPosition: `${along(place % columns, columns)} ${along(Math.floor(place / columns), rows)}`,
  });
  film.style.setProperty("--share", share);
  film.setAttribute("data-on", "");
}

function shareAt(film, x) {
  const box = film.getBoundingClientRect();
  return Math.min(0.999, Math.max(0, (x - box.left) / box.width));
}

document.addEventListener(
  "pointermove",
  ({ target, clientX, pointerType }) => {
    if (pointerType === "touch") {
      if (!finger) return;
      finger.moved ||= Math.abs(clientX - finger.x) > DRAG;
      if (finger.moved) show(finger.film, shareAt(finger.film, clientX));
      return;
    }
    const film = filmOf(target);
    if (!film) {
      if (shown && !shown.byKey) hide();
      return;
    }
    const share = shareAt(film, clientX);
    if (shown?.film === film || strips.has(film.dataset.film)) {
      show(film, share);
      return;
    }
    clearTimeout(waiting);
    waiting = setTimeout(() => show(film, share), REST_MS);
  },
  { passive: true },
);

document.addEventListener("pointerdown", ({ target, clientX, pointerType }) => {
  const film = pointerType === "touch" ? filmOf(target) : null;
  finger = film && { film, x: clientX, moved: false };
});

for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => {
    if (!finger) return;
    const { moved } = finger;
    hide();
    if (moved) setTimeout(() => (finger = null), 50); // the click comes after
    else finger = null;
  });
}

document.addEventListener(
  "click",
  (event) => {
    if (!finger?.moved) return;
    event.preventDefault();
    event.stopPropagation();
  },
  { capture: true },
);

document.documentElement.addEventListener("pointerleave", hide);
document.addEventListener("focusout", () => shown?.byKey && hide());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && shown) hide();
  const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
  const film = step && !event.altKey && !event.ctrlKey && !event.metaKey ? event.target.closest?.("a")?.querySelector(".film") : null;
  if (!film) return;
  event.preventDefault();
  const from = shown?.film === film ? shown.share : step > 0 ? -STEP / 2 : 1;
  show(film, Math.min(0.999, Math.max(0, from + step)));
  shown.byKey = true;
});
