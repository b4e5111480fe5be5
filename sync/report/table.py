"""A table of the report: the one form that page, Markdown and CSV are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Cell = str | int


@dataclass(frozen=True, slots=True)
class Table:
    """``id`` never changes; the first column names the rows. ``chart`` says how the page draws it as well: ``bars``,
    ``pie``, ``balance`` (open red, closed green) or not at all. ``strong`` are the rows set in bold; ``notes`` stand
    below it, ``empty`` in its place where it has no rows. ``links`` are texts of cells that lead to an address."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    chart: str = ""
    strong: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()
    empty: str = "None for the reporting period."
    links: tuple[tuple[str, str], ...] = ()

    def cell(self, row: str, column: str) -> Cell:
        """What stands where the first row called so meets the column. Raises ``KeyError``."""
        place = self.columns.index(column) if column in self.columns else -1
        found = next((cells for cells in self.rows if cells[0] == row), None)
        if found is None or place < 0:
            raise KeyError((self.id, row, column))
        return found[place]

    def cells(self) -> Iterator[tuple[tuple[str, int, str, str], Cell]]:
        """Every cell with its place: table, how often the row's name came before, row and column."""
        seen: dict[str, int] = {}
        for cells in self.rows:
            name = str(cells[0])
            turn = seen.get(name, 0)
            seen[name] = turn + 1
            for column, value in zip(self.columns[1:], cells[1:], strict=True):
                yield (self.id, turn, name, column), value


def tally(rows: Sequence[tuple[Cell, ...]], name: str) -> tuple[Cell, ...]:
    """The sums of the columns after the first."""
    return (name, *(sum(int(row[place]) for row in rows) for place in range(1, len(rows[0]))))
