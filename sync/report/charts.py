"""Charts as SVG that stands alone: no script, no outside file, the same bytes for the same numbers."""

from __future__ import annotations

import sys
from typing import Any

from sync.report.table import Table

BLUE, RED, GREEN = "#2f6690", "#c0392b", "#2e8b57"
SLICES = (BLUE, "#e08e45", GREEN, "#8d6a9f", "#c0392b", "#5aa9a3", "#b8a13c", "#7d8597", "#d17a9b", "#495057")
#: of a chart that fills a page's width, in pixels
WIDTH = 760
SVG = "{http://www.w3.org/2000/svg}"


def svg(table: Table) -> str:
    """The chart the table asks for; empty where it asks for none, or has no rows."""
    draw = {"bars": bars, "pie": pie, "balance": balance}.get(table.chart)
    if not draw or not table.rows:
        return ""
    chart = draw(table)
    chart.uuid = table.id  # its styles are told apart by it on a page of many charts; by itself it is drawn by lot
    return stripped(chart)


def library() -> Any:
    """pygal, without its finder of plug-ins (maps): that would look at every import of the process from then on, in a
    form that Python no longer knows and warns of."""
    import pygal

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]
    return pygal


def bars(table: Table) -> Any:
    width = min(WIDTH, 140 + 90 * len(table.rows))
    chart = library().Bar(**look(BLUE, width=width, height=240), show_legend=False, y_labels=steps(table))
    chart.x_labels = [str(row[0]) for row in table.rows]
    chart.add(table.columns[1], [int(row[1]) for row in table.rows])
    return chart


def balance(table: Table) -> Any:
    turn = 45 if len(table.rows) > 12 else 0
    styled = look(RED, GREEN, width=WIDTH, height=300)
    chart = library().Bar(**styled, legend_at_bottom=True, y_labels=steps(table), x_label_rotation=turn)
    chart.x_labels = [str(row[0]) for row in table.rows]
    for place, name in enumerate(table.columns[1:], 1):
        chart.add(name, [int(row[place]) for row in table.rows])
    return chart


def pie(table: Table) -> Any:
    """Each slice is told in the legend with its count, since small ones hold no text."""
    height = max(260, 30 + 22 * len(table.rows))
    chart = library().Pie(**look(*SLICES, width=560, height=height), inner_radius=0.35, legend_box_size=13)
    whole = sum(int(row[1]) for row in table.rows)
    for name, count in table.rows:
        chart.add(f"{name}: {count} ({int(count) / whole:.0%})", int(count))
    return chart


def steps(table: Table) -> list[int]:
    """What the axis shows: whole numbers up to the highest bar."""
    highest = max(int(value) for row in table.rows for value in row[1:])
    step = max(1, -(-highest // 4))
    return list(range(0, max(highest, 1) + step, step))


def look(*colours: str, width: int, height: int) -> dict[str, Any]:
    """Flat, on paper, numbers shown, whole numbers on the axis."""
    from pygal.style import Style

    style = Style(
        background="transparent", plot_background="transparent", colors=colours, opacity="1", opacity_hover="1",
        foreground="#222", foreground_strong="#222", foreground_subtle="#888", font_family="sans-serif",
        label_font_size=12, major_label_font_size=12, value_font_size=14, legend_font_size=13, title_font_size=15,
        value_colors=("#fff",) * len(colours), guide_stroke_color="#ccc", major_guide_stroke_color="#ccc",
    )  # fmt: skip
    return {
        "style": style, "js": (), "width": width, "height": height, "truncate_label": -1,
        "print_values": True, "print_zeroes": False, "formatter": whole, "value_formatter": whole,
        "include_x_axis": True, "show_y_guides": True, "truncate_legend": 60, "disable_xml_declaration": True,
    }  # fmt: skip


def whole(value: float) -> str:
    return f"{value:,.0f}"


def stripped(chart: Any) -> str:
    """The SVG without what only a script would use, and without remarks that name the day it was drawn on."""
    from lxml import etree

    tree = etree.fromstring(chart.render())
    for node in [*tree.iter(f"{SVG}script", f"{SVG}desc", etree.Comment)]:
        if (above := node.getparent()) is not None:
            above.remove(node)
    _, _, width, height = str(tree.get("viewBox")).split()
    tree.set("width", width)
    tree.set("height", height)
    return str(etree.tostring(tree, encoding="unicode"))
