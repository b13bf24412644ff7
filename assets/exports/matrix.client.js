// Keyboard support of the export matrix, a grid with a single tab stop; and its view and filters, written to the address.
//
// A script, since focus exists only in the browser, and a held arrow key must not wait for the server. The address is written before
// the choice goes to the server, whose answer may redirect to sign-in, which returns to this address.

import { createRetry } from "../clips/retry.js";
import { writeToAddress } from "../frame/address.js";
import { closest, targetOf } from "../frame/event_target.js";

/** @type {Record<string, number>} */
const COLUMN_STEPS = { ArrowRight: 1, ArrowLeft: -1 };
/** @type {Record<string, number>} */
const ROW_STEPS = { ArrowDown: 1, ArrowUp: -1 };

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
const positionOf = (row) => Number(row.getAttribute("aria-rowindex"));
/** @type {(row: Element) => HTMLElement[]} */
const cellsOf = (row) => [.../** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("button.cell"))];
/** @type {(grid: Element, position: number) => HTMLElement | null} */
const rowAt = (grid, position) => grid.querySelector(`[role=row][aria-rowindex="${position}"]`);

const retryFocus = createRetry();
// The cell that last had the focus: position of its row (from 1) and of the cell in the row (from 0).
const lastFocused = { row: 1, cell: 0 };

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
 * Focuses a cell of the row at this position. The grid is virtual, so the row may have to be scrolled to first.
 *
 * @param {HTMLElement} grid
 * @param {number} position
 * @param {number} at
 */
function focusRow(grid, position, at) {
  if (!rowAt(grid, position)) grid.scrollTop = position === 1 ? 0 : grid.scrollHeight;
  retryFocus(() => {
    const row = rowAt(grid, position);
    if (row) focusCell(row, at);
    return Boolean(row);
  });
}

/** @param {Element} grid */
function restoreFocus(grid) {
  const row = rowAt(grid, lastFocused.row) ?? grid.querySelector("[role=row]");
  if (row) focusCell(row, lastFocused.cell);
}

/**
 * Moves the focus from a cell. Home and End go to the ends of its row, with Ctrl of the whole matrix.
 *
 * @param {HTMLElement} grid
 * @param {Element} cell
 * @param {KeyboardEvent} event
 */
function moveFocus(grid, cell, { key, ctrlKey }) {
  const row = rowOf(cell);
  const at = cellsOf(row).findIndex((each) => each === cell);
  const end = key === "Home" ? 0 : Infinity;
  if (key in COLUMN_STEPS) {
    focusCell(row, Math.max(0, at + COLUMN_STEPS[key]));
  } else if (key in ROW_STEPS) {
    const next = rowAt(grid, positionOf(row) + ROW_STEPS[key]);
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
  if (!(event.key in COLUMN_STEPS || event.key in ROW_STEPS || event.key === "Home" || event.key === "End")) return;
  event.preventDefault();
  const cell = closest(event, "button.cell");
  if (cell) moveFocus(grid, cell, event);
  else restoreFocus(grid);
});

// The grid itself is the tab stop and passes the focus on to the last focused cell. While a cell has the focus, the grid is no tab stop.
document.addEventListener("focusin", (event) => {
  const grid = closest(event, "[role=grid]");
  if (!grid) return;
  const cell = closest(event, "button.cell");
  if (cell) {
    lastFocused.row = positionOf(rowOf(cell));
    lastFocused.cell = cellsOf(rowOf(cell)).indexOf(cell);
    grid.tabIndex = -1;
  } else if (targetOf(event) === grid && grid.matches(":focus-visible")) {
    restoreFocus(grid);
  }
});

document.addEventListener("focusout", (event) => {
  const grid = closest(event, "[role=grid]");
  if (grid && !(event.relatedTarget instanceof Node && grid.contains(event.relatedTarget))) grid.tabIndex = 0;
});
