"""The export matrix: each clip with its cells of aspect ratio and language, and a card for the selected cell."""

from __future__ import annotations

import reflex as rx
from reflex.vars import VarData
from reflex.vars.function import ArgsFunctionOperation

from clipviewer.components.bundle import bundled
from clipviewer.components.export_views import nothing_matches
from clipviewer.components.frame import empty, skeletons
from clipviewer.components.may_change import if_may_change, text_if_may_change
from clipviewer.components.selection import picked, shown_id
from clipviewer.components.virtuoso import Virtuoso
from clipviewer.services.cells.filters import CellState
from clipviewer.state.exports import ExportState
from clipviewer.state.matrix import MatrixState
from clipviewer.state.matrix_rows import MatrixCell, MatrixGroup, MatrixLine, OpenedCell

_ICONS = {
    CellState.MISSING: "plus",
    CellState.QUEUED: "clock",
    CellState.RUNNING: "loader",
    CellState.DONE: "check",
    CellState.FAILED: "triangle-alert",
    CellState.STALE: "history",
}


def export_matrix() -> rx.Component:
    """Return the matrix, or a message if there is nothing to show."""
    narrow = (MatrixState.only_ratio != "") | (MatrixState.only_language != "") | (MatrixState.only_state != "")
    no_clips = empty("grid-3x3", "No clips yet", "A pipeline can register candidates and finished clips through the API.")
    no_answer = empty(
        "cloud-off",
        "The matrix could not be loaded",
        "The database did not answer.",
        rx.button("Try again", type="button", on_click=MatrixState.refresh),
    )
    shown = rx.match(
        MatrixState.phase,
        ("ready", rx.cond(MatrixState.total > 0, rx.fragment(_grid(), _card()), rx.cond(narrow, nothing_matches(), no_clips))),
        ("failed", no_answer),
        skeletons(4, "matrix-line"),
    )
    return rx.box(bundled("exports/matrix.client.js", "exports/matrix.css"), shown, on_mount=MatrixState.refresh, class_name="matrix")


@rx.memo
def matrix_line(line: rx.Var[MatrixLine], position: rx.Var[int]) -> rx.Component:
    """Render one clip with its cells."""
    return rx.box(
        rx.box(
            rx.el.span(line.title, role="rowheader", class_name="clip-title"),
            rx.el.span(line.span, class_name="clip-time"),
            class_name="matrix-head",
        ),
        rx.foreach(line.groups, lambda group: _group(line, group)),
        role="row",
        class_name="matrix-line",
        custom_attrs={"aria-rowindex": position + 1},
    )


@rx.memo
def placeholder_line() -> rx.Component:
    """Render the placeholder of a row that is not loaded yet."""
    return rx.box(class_name="matrix-line skeleton", aria_hidden="true")


def _grid() -> rx.Component:
    lines, offset = MatrixState.lines, MatrixState.offset
    context = rx.Var(
        f"({{lines: {lines!s}, offset: {offset!s}}})",
        _var_type=dict,
        _var_data=VarData.merge(lines._get_all_var_data(), offset._get_all_var_data()),
    )
    line = rx.Var("context.lines[index - context.offset]", _var_type=MatrixLine)
    item = rx.cond(line, matrix_line(line=line, position=rx.Var("index", _var_type=int)), placeholder_line())
    return Virtuoso.create(
        total_count=MatrixState.total,
        context=context,
        item_content=ArgsFunctionOperation.create(args_names=("index", "_item", "context"), return_expr=rx.Var.create(item)),
        default_item_height=84,
        increase_viewport_by=320,
        range_changed=lambda first, last: MatrixState.show_lines(first, last).debounce(120),
        class_name="matrix-grid",
        custom_attrs={"role": "grid", "aria-label": "Export matrix", "aria-rowcount": MatrixState.total},
    )


def _group(line: rx.Var[MatrixLine], group: rx.Var[MatrixGroup]) -> rx.Component:
    return rx.box(
        rx.el.span(group.language, class_name="matrix-language"),
        rx.box(rx.foreach(group.cells, lambda cell: _cell(line, group, cell)), class_name="matrix-cells"),
        class_name="matrix-group",
    )


def _cell(line: rx.Var[MatrixLine], group: rx.Var[MatrixGroup], cell: rx.Var[MatrixCell]) -> rx.Component:
    percent = _percent(cell.key)
    label = rx.Var.create(f"{line.title}, {cell.ratio}, {group.language}") + rx.cond(cell.note == "", ": ", ", " + cell.note + ": ")
    return rx.el.span(
        rx.el.button(
            rx.match(cell.state, *((state.value, rx.icon(icon, size=13)) for state, icon in _ICONS.items()), rx.fragment()),
            rx.el.span(cell.ratio),
            rx.cond(cell.note != "", rx.el.span(cell.note, class_name="cell-note")),
            rx.cond(cell.state == CellState.RUNNING, rx.el.span(percent, " %", class_name="cell-note")),
            type="button",
            tab_index=-1,
            on_click=[picked.set_value(rx.cond(cell.clip == "", picked.value, cell.clip)), MatrixState.open_cell(cell.key)],
            aria_label=label + cell.state + rx.cond(cell.state == CellState.RUNNING, f" {percent} %", ""),
            class_name="cell",
            custom_attrs={
                "data-state": cell.state,
                "aria-pressed": MatrixState.opened.key == cell.key,
                "aria-current": rx.cond((cell.clip != "") & (shown_id() == cell.clip), "true", "false"),
                "style": {"--done": f"{percent}%"},
            },
        ),
        role="gridcell",
    )


def _percent(key: rx.Var[str]) -> rx.Var[int]:
    return rx.Var(f"({MatrixState.progress!s}[{key!s}] ?? 0)", _var_type=int, _var_data=MatrixState.progress._get_all_var_data()).to(int)


def _card() -> rx.Component:
    """Return the card of the selected cell with its actions. Its space is reserved while no cell is selected."""
    return rx.el.section(
        rx.cond(
            MatrixState.opened,
            _opened(MatrixState.opened.to(OpenedCell)),
            rx.el.span(
                text_if_may_change(
                    "Select a cell to play it, export it, or see why it failed.", "Select a cell to play it or see why it failed."
                ),
                class_name="quiet",
            ),
        ),
        aria_label="Selected cell",
        class_name="matrix-card",
    )


def _opened(cell: rx.Var[OpenedCell]) -> rx.Component:
    percent = _percent(cell.key)
    return rx.fragment(
        rx.box(
            rx.box(
                rx.el.span(cell.title, class_name="clip-title"),
                rx.el.span(cell.ratio, " · ", cell.language, rx.cond(cell.made == "", "", " · " + cell.made), class_name="clip-time"),
                class_name="clip-words",
            ),
            if_may_change(_action_button(cell)),
            class_name="matrix-card-line",
        ),
        rx.box(
            rx.el.span(rx.match(cell.state, *((state.value, state.capitalize()) for state in CellState), ""), class_name="cell-state"),
            rx.cond(cell.state == CellState.RUNNING, rx.el.progress(value=percent, max=100, aria_label="Progress")),
            rx.cond(cell.text != "", rx.el.span(cell.text)),
            role="status",
            class_name="matrix-card-state",
            custom_attrs={"data-state": cell.state},
        ),
        rx.cond(cell.log != "", rx.el.details(rx.el.summary("Last lines of the log"), rx.el.pre(cell.log))),
    )


def _action_button(cell: rx.Var[OpenedCell]) -> rx.Component:
    cancel = _button("Cancel", [ExportState.cancel_export(cell.job), MatrixState.refresh], quiet=True)
    return rx.match(
        cell.state,
        ("missing", _button("Export", MatrixState.export_cell(cell.key), disabled=~cell.exportable)),
        ("stale", _button("Export again", MatrixState.export_cell(cell.key), disabled=~cell.exportable)),
        ("failed", _button("Retry", [ExportState.retry_export(cell.job), MatrixState.refresh])),
        ("queued", cancel),
        ("running", cancel),
        rx.fragment(),
    )


def _button(label: str, event, *, quiet: bool = False, **props) -> rx.Component:
    looks = {"variant": "soft", "color_scheme": "gray"} if quiet else {}
    return rx.button(label, type="button", size="2", on_click=event, **looks, **props)
