// The keys of the export matrix, one stop of the Tab key as any grid; and what is chosen in its head, written to the address.

import { persistence } from "./persistence.js";

const SIDEWAYS = { ArrowRight: 1, ArrowLeft: -1 };
const UPWARDS = { ArrowDown: 1, ArrowUp: -1 };

function writeToAddress(changes) {
  const here = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) here.searchParams.set(name, value);
    else here.searchParams.delete(name);
  }
  history.replaceState(history.state, "", here);
}

// Before the page tells the server, which may have to lead to sign-in and back here.
document.addEventListener(
  "click",
  (event) => {
    const view = event.target.closest?.("[data-view]")?.dataset.view;
    if (view) writeToAddress({ view: view === "list" ? "" : view });
    if (event.target.closest?.("[data-action=clear-filters]")) writeToAddress({ ratio: "", language: "", state: "" });
  },
  { capture: true },
);

document.addEventListener(
  "change",
  (event) => {
    const name = event.target.dataset?.filter;
    if (name) writeToAddress({ [name]: event.target.value });
  },
  { capture: true },
);

const gridOf = (element) => element.closest?.("[role=grid]");
const rowOf = (cell) => cell.closest("[role=row]");
const cellsOf = (row) => [...row.querySelectorAll("button.cell")];
const rowAt = (grid, place) => grid.querySelector(`[role=row][aria-rowindex="${place}"]`);

const focusing = persistence();
// Where the grid was left: place of the row and of the cell in it.
const left = { row: 1, cell: 0 };

function focusCell(row, at) {
  const cells = cellsOf(row);
  const cell = cells[Math.min(at, cells.length - 1)];
  cell?.focus({ preventScroll: true });
  cell?.scrollIntoView({ block: "nearest" });
}

// Only some of the rows are in the page: the last one may have to be scrolled to before it can be focused.
function focusRow(grid, place, at) {
  if (!rowAt(grid, place)) grid.scrollTop = place === 1 ? 0 : grid.scrollHeight;
  focusing(() => {
    const row = rowAt(grid, place);
    if (row) focusCell(row, at);
    return Boolean(row);
  });
}

document.addEventListener("keydown", (event) => {
  const grid = gridOf(event.target);
  if (!grid || event.altKey || event.metaKey) return;
  const cell = event.target.closest("button.cell");
  const ends = { Home: 1, End: Number(grid.getAttribute("aria-rowcount")) };
  if (!(event.key in SIDEWAYS) && !(event.key in UPWARDS) && !(event.key in ends)) return;
  event.preventDefault();
  if (!cell) {
    const row = rowAt(grid, left.row) ?? grid.querySelector("[role=row]");
    if (row) focusCell(row, left.cell);
    return;
  }
  const row = rowOf(cell);
  const cells = cellsOf(row);
  const at = cells.indexOf(cell);
  const place = Number(row.getAttribute("aria-rowindex"));
  if (event.key in SIDEWAYS) focusCell(row, Math.max(0, at + SIDEWAYS[event.key]));
  else if (event.key in UPWARDS) {
    const next = rowAt(grid, place + UPWARDS[event.key]);
    if (next) focusCell(next, at);
  } else if (event.ctrlKey) focusRow(grid, ends[event.key], event.key === "Home" ? 0 : Infinity);
  else focusCell(row, event.key === "Home" ? 0 : Infinity);
});

// The grid itself is the stop; it hands the focus on to the cell where it was left, and is none while a cell has it.
document.addEventListener("focusin", (event) => {
  const grid = gridOf(event.target);
  if (!grid) return;
  const cell = event.target.closest("button.cell");
  if (cell) {
    left.row = Number(rowOf(cell).getAttribute("aria-rowindex"));
    left.cell = cellsOf(rowOf(cell)).indexOf(cell);
    grid.tabIndex = -1;
  } else if (event.target === grid && grid.matches(":focus-visible")) {
    const row = rowAt(grid, left.row) ?? grid.querySelector("[role=row]");
    if (row) focusCell(row, left.cell);
  }
});

document.addEventListener("focusout", (event) => {
  const grid = gridOf(event.target);
  if (grid && !grid.contains(event.relatedTarget)) grid.tabIndex = 0;
});
