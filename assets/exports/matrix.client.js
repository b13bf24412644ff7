// The keys of the export matrix, one stop of the Tab key as any grid; and what is chosen in its head, written to the address.
//
// A script, since focus exists only in the browser, and a held arrow key must not wait for the server. The address is written before the
// server hears of a choice, which may have to lead to sign-in and back here.

import { persistence } from "../clips/persistence.js";
import { writeToAddress } from "../frame/address.js";
import { closest, targetOf } from "../frame/event_target.js";

/** @type {Record<string, number>} */
const SIDEWAYS = { ArrowRight: 1, ArrowLeft: -1 };
/** @type {Record<string, number>} */
const UPWARDS = { ArrowDown: 1, ArrowUp: -1 };

document.addEventListener(
  "click",
  (event) => {
    const view = closest(event, "[data-view]")?.dataset.view;
    if (view) writeToAddress({ view: view === "list" ? "" : view });
    if (closest(event, "[data-action=clear-filters]")) writeToAddress({ ratio: "", language: "", state: "" });
  },
  { capture: true },
);

document.addEventListener(
  "change",
  ({ target }) => {
    const name = target instanceof HTMLSelectElement && target.dataset.filter;
    if (name) writeToAddress({ [name]: target.value });
  },
  { capture: true },
);

/** @param {Element} cell */
const rowOf = (cell) => /** @type {HTMLElement} */ (cell.closest("[role=row]"));
/** @param {Element} row */
const placeOf = (row) => Number(row.getAttribute("aria-rowindex"));
/** @type {(row: Element) => HTMLElement[]} */
const cellsOf = (row) => [.../** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("button.cell"))];
/** @type {(grid: Element, place: number) => HTMLElement | null} */
const rowAt = (grid, place) => grid.querySelector(`[role=row][aria-rowindex="${place}"]`);

const focusing = persistence();
// Where the grid was left: place of the row and of the cell in it.
const left = { row: 1, cell: 0 };

/**
 * @param {Element} row
 * @param {number} at
 */
function focusCell(row, at) {
  const cells = cellsOf(row);
  const cell = cells[Math.min(at, cells.length - 1)];
  cell?.focus({ preventScroll: true });
  cell?.scrollIntoView({ block: "nearest" });
}

/**
 * Only some of the rows are in the page: the last one may have to be scrolled to before it can be focused.
 *
 * @param {HTMLElement} grid
 * @param {number} place
 * @param {number} at
 */
function focusRow(grid, place, at) {
  if (!rowAt(grid, place)) grid.scrollTop = place === 1 ? 0 : grid.scrollHeight;
  focusing(() => {
    const row = rowAt(grid, place);
    if (row) focusCell(row, at);
    return Boolean(row);
  });
}

/** @param {Element} grid */
function focusWhereLeft(grid) {
  const row = rowAt(grid, left.row) ?? grid.querySelector("[role=row]");
  if (row) focusCell(row, left.cell);
}

/**
 * Goes on from a cell; End leads to the last of its row, with Ctrl of the whole matrix.
 *
 * @param {HTMLElement} grid
 * @param {Element} cell
 * @param {KeyboardEvent} event
 */
function goOn(grid, cell, { key, ctrlKey }) {
  const row = rowOf(cell);
  const at = cellsOf(row).findIndex((each) => each === cell);
  const end = key === "Home" ? 0 : Infinity;
  if (key in SIDEWAYS) {
    focusCell(row, Math.max(0, at + SIDEWAYS[key]));
  } else if (key in UPWARDS) {
    const next = rowAt(grid, placeOf(row) + UPWARDS[key]);
    if (next) focusCell(next, at);
  } else if (ctrlKey) {
    focusRow(grid, key === "Home" ? 1 : Number(grid.getAttribute("aria-rowcount")), end);
  } else {
    focusCell(row, end);
  }
}

document.addEventListener("keydown", (event) => {
  const grid = closest(event, "[role=grid]");
  if (!grid || event.altKey || event.metaKey) return;
  if (!(event.key in SIDEWAYS || event.key in UPWARDS || event.key === "Home" || event.key === "End")) return;
  event.preventDefault();
  const cell = closest(event, "button.cell");
  if (cell) goOn(grid, cell, event);
  else focusWhereLeft(grid);
});

// The grid itself is the stop; it hands the focus on to the cell where it was left, and is none while a cell has it.
document.addEventListener("focusin", (event) => {
  const grid = closest(event, "[role=grid]");
  if (!grid) return;
  const cell = closest(event, "button.cell");
  if (cell) {
    left.row = placeOf(rowOf(cell));
    left.cell = cellsOf(rowOf(cell)).indexOf(cell);
    grid.tabIndex = -1;
  } else if (targetOf(event) === grid && grid.matches(":focus-visible")) {
    focusWhereLeft(grid);
  }
});

document.addEventListener("focusout", (event) => {
  const grid = closest(event, "[role=grid]");
  if (grid && !(event.relatedTarget instanceof Node && grid.contains(event.relatedTarget))) grid.tabIndex = 0;
});
