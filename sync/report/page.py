"""The report as one HTML file that needs nothing else and prints well, as Markdown, and as CSV."""

from __future__ import annotations

import csv
import io
import re

from sync.report.charts import svg
from sync.report.table import Cell, Table
from sync.report.tables import Tables

_PLAIN = str.maketrans({"\n": " ", "\r": " ", "<": "&lt;", "&": "&amp;"} | {sign: f"\\{sign}" for sign in r"\|*_[]`~"})
#: where a spreadsheet begins a formula: at the head of a cell, also of one that it cuts at a sign of its own
_FORMULA = re.compile(r"(^|[;\t\r\n])(?=[^\S\t\r\n]*[=+\-@＝＋－＠])")


def html(tables: Tables) -> str:
    """One file: styles and charts inside, no script. Everything from a tracker is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("sync.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["chart"] = lambda table: Markup(svg(table))  # drawn by us: pygal escapes what it is given
    environment.tests["table"] = lambda part: isinstance(part, Table)
    environment.tests["small"] = small
    return environment.get_template("page.html").render(report=tables)


def small(table: Table) -> bool:
    """Whether it is a few columns of numbers, which a page's width would pull apart."""
    return len(table.columns) <= 3 and all(numeric(table, n) for n in range(1, len(table.columns)))


def markdown(tables: Tables) -> str:
    """Headings, lists and pipe tables."""
    lines = [f"# {tables.title}", "", f"**Reporting period: {tables.period}**", ""]
    for section in tables.sections:
        lines += [f"{'#' * (section.level + 1)} {section.title}", ""]
        for part in section.parts:
            lines += [*(pipes(part, section.title) if isinstance(part, Table) else bullets(part)), ""]
    return "\n".join(lines)


def bullets(sentences: tuple[str, ...]) -> list[str]:
    return [f"- {sentence.translate(_PLAIN)}" for sentence in sentences]


def pipes(table: Table, heading: str) -> list[str]:
    """The title, unless the heading says it, the table, its notes."""
    lines = [] if table.title == heading else [f"**{table.title}**", ""]
    if not table.rows:
        return [*lines, table.empty]
    links = dict(table.links)
    lines += [row_of([column.translate(_PLAIN) for column in table.columns])]
    lines += [row_of(["---", *("---:" if numeric(table, n) else "---" for n in range(1, len(table.columns)))])]
    for place, cells in enumerate(table.rows):
        shown = [linked(cell, links) for cell in cells]
        lines.append(row_of([f"**{cell}**" for cell in shown] if place in table.strong else shown))
    return lines + [line for note in table.notes for line in ("", note.translate(_PLAIN))]


def row_of(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def linked(cell: Cell, links: dict[str, str]) -> str:
    text = str(cell).translate(_PLAIN)
    return f"[{text}](<{links[str(cell)]}>)" if str(cell) in links else text


def numeric(table: Table, column: int) -> bool:
    return all(isinstance(row[column], int) for row in table.rows)


def sheets(tables: Tables) -> dict[str, str]:
    """A CSV file for each table, by its id."""
    return {table.id: sheet(table) for table in tables.every()}


def sheet(table: Table) -> str:
    """The header and the rows. A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe(column) for column in table.columns])
    writer.writerows([safe(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def safe(cell: Cell) -> Cell:
    return _FORMULA.sub(r"\1'", cell) if isinstance(cell, str) else cell
