"""The roster: a CSV file beside the admin's own, read whole and checked cell by cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mappings.people import Party
from mappings.roster import OVERSIGHT, Person, Roster, alike, folded
from sync.config.desk import Desk
from sync.config.problems import KeyPath, Problem, choice, nearest, quoted
from sync.config.values import Wrong, address

#: columns that every roster may have; the others are trackers
COLUMNS = ("name", "email", "party", "role", "county", "region", OVERSIGHT)
_WATCHES = {"yes": True, "no": False, "": False}
_AT: KeyPath = ("people", "roster")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file. ``line`` is where it begins; cells go by their column's name, ``places`` are the columns'
    numbers from 1."""

    line: int
    cells: Mapping[str, str]
    places: Mapping[str, int]


@dataclass(slots=True)
class Sheet:
    """A roster being read: what the file declares, and the problems found so far."""

    desk: Desk
    file: str
    rows: list[Row] = field(default_factory=list)

    def wrong(self, row: Row, column: str, what: str, instead: str = "") -> None:
        place = row.places.get(column, 1)
        self.desk.report.problems.append(Problem(row.line, place, column, what, instead, self.file))


def roster(desk: Desk) -> Roster:
    """Everybody in the file that ``people.roster`` names; nobody where it names none."""
    name = desk.file.people.roster
    if not name:
        return Roster()
    text = content(desk, name)
    sheet = Sheet(desk, Path(name).name)
    sheet.rows = list(rows(sheet, text)) if text is not None else []
    told = any(one.file == sheet.file for one in desk.report.problems)
    if text is not None and not sheet.rows and not told:
        sheet.wrong(Row(2, {}, {}), "", "there is nobody in this roster", "write a row for each person")
    people = [person(sheet, row) for row in sheet.rows]
    contradictions(sheet)
    return Roster(tuple(whole(people)))


def whole(people: Sequence[Person]) -> Iterator[Person]:
    """A later row of somebody says only what is different: address, party and accounts are those of the first."""
    first: dict[str, Person] = {}
    for one in people:
        known = first.setdefault(folded(one.name), one)
        yield replace(
            one,
            email=one.email or known.email,
            party=one.party or known.party,
            oversight=one.oversight or known.oversight,
            accounts={**known.accounts, **one.accounts},
        )


def content(desk: Desk, name: str) -> str | None:
    """The file's text, of UTF-8 with or without a byte order mark."""
    try:
        return (desk.folder / name).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        what = f"there is no file {name} beside this one"
        instead = f"write it there, with the columns {quoted(columns(desk))}, or take the key out"
    except UnicodeDecodeError:
        what, instead = f"{name} is not UTF-8 text", 'save it in Excel as "CSV UTF-8 (Comma delimited)"'
    except (OSError, ValueError) as failure:
        what = f"{name} cannot be read: {getattr(failure, 'strerror', None) or 'its name is broken'}"
        instead = "name a file that our user may read"
    desk.report.wrong(_AT, what, instead)
    return None


def columns(desk: Desk) -> tuple[str, ...]:
    return (*COLUMNS, *desk.names["trackers"])


# ── cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def rows(sheet: Sheet, text: str) -> Iterator[Row]:
    """The rows under the heading that say anything. Commas or semicolons part the cells, as the heading has them."""
    heading = text.partition("\n")[0]
    delimiter = ";" if heading.count(";") > heading.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    places: dict[str, int] = {}
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as failure:
            what, instead = f"cannot be read as CSV: {failure}", "end every cell with the quote it begins with"
            sheet.wrong(Row(line, {}, {}), "", what, instead)
            return
        if cells is None:
            break
        if line == 1:
            places = headed(sheet, cells)
        elif any(cell.strip() for cell in cells):
            yield filled(sheet, line, cells, places)
        line = reader.line_num + 1
    if not text.strip():
        sheet.wrong(Row(1, {}, {}), "", "this roster is empty", f"write the heading {','.join(COLUMNS)}")


def headed(sheet: Sheet, cells: Sequence[str]) -> dict[str, int]:
    """The number of each column by its name; a name that is not known is told with the nearest."""
    known = {name.casefold(): name for name in columns(sheet.desk)}
    places: dict[str, int] = {}
    if len(cells) == 1 and "\t" in cells[0]:
        what, instead = "tabs part the cells of this roster", 'save it in Excel as "CSV UTF-8 (Comma delimited)"'
        sheet.wrong(Row(1, {}, {}), "", what, instead)
        return places
    for place, cell in enumerate(cells, 1):
        said = cell.strip()
        name = known.get(said.casefold(), "")
        at = Row(1, {}, {said: place})
        if said and not name:
            near = nearest(said, known.values())
            instead = f'write "{near}"' if near else f"columns are {quoted(known.values())}"
            sheet.wrong(at, said, f'there is no column and no tracker "{said}"', instead)
        elif name in places:
            sheet.wrong(at, said, f'the column "{name}" stands twice', "keep one of them")
        elif name:
            places[name] = place
    if any(cell.strip() for cell in cells) and "name" not in places:
        sheet.wrong(Row(1, {}, {}), "name", "there is no column for the name", f"write the heading {','.join(COLUMNS)}")
    return places


def filled(sheet: Sheet, line: int, cells: Sequence[str], places: Mapping[str, int]) -> Row:
    row = Row(line, {name: cells[at - 1].strip() for name, at in places.items() if at <= len(cells)}, places)
    beyond = [at for at, cell in enumerate(cells, 1) if cell.strip() and at > max(places.values(), default=0)]
    if beyond and places:
        what = f'"{cells[beyond[0] - 1].strip()}" stands in a column without a name'
        sheet.wrong(replace(row, places={"": beyond[0]}), "", what, "put a cell that holds a comma in quotes")
    return row


def cells_of(row: Row) -> Callable[[str], str]:
    return lambda column: row.cells.get(column, "")


def person(sheet: Sheet, row: Row) -> Person:
    """One row, each cell checked."""
    said = cells_of(row)
    if not said("name") and "name" in row.places:
        sheet.wrong(row, "name", "this row has no name", "write who it is, or empty the row")
    check_email(sheet, row, said("email"))
    check_party(sheet, row, said("party"))
    watches = _WATCHES.get(said(OVERSIGHT).casefold())
    if watches is None:
        sheet.wrong(row, OVERSIGHT, f'"{said(OVERSIGHT)}" is neither yes nor no', "write yes, no or nothing")
    accounts = {at: said(at) for at in sheet.desk.names["trackers"] if said(at)}
    place = {column: said(column) for column in ("name", "email", "party", "role", "county", "region")}
    return Person(**place, oversight=bool(watches), accounts=accounts)


def check_email(sheet: Sheet, row: Row, said: str) -> None:
    try:
        if said:
            address(said)
    except Wrong as wrong:
        sheet.wrong(row, "email", f'"{said}" {wrong.what}', "write name@example.org, one address alone")


def check_party(sheet: Sheet, row: Row, said: str) -> None:
    parties = sheet.desk.names["parties"]
    if said and said not in parties:
        sheet.wrong(row, "party", f'there is no party "{said}"', choice(said, parties, "parties"))


def contradictions(sheet: Sheet) -> None:
    """An account is one person's; one person has one address, one party and one account in each tracker."""
    owner: dict[tuple[str, str], Row] = {}
    first: dict[str, Row] = {}
    for row in sheet.rows:
        name = row.cells.get("name", "")
        before = next((other for said, other in first.items() if alike(said, name)), None)
        if before is not None:
            differ(sheet, row, before)
        elif name:
            first[name] = row
        for tracker in sheet.desk.names["trackers"]:
            account = row.cells.get(tracker, "")
            holder = owner.setdefault((tracker, account), row)
            if account and not alike(holder.cells.get("name", ""), name):
                what = f'"{account}" is the account of {holder.cells.get("name")} already (line {holder.line})'
                sheet.wrong(row, tracker, what, "give it to the one whose it is")


def differ(sheet: Sheet, row: Row, before: Row) -> None:
    """Several rows of one name are several roles of one person, and must not contradict each other."""
    for column in ("email", "party", *sheet.desk.names["trackers"]):
        said, was = row.cells.get(column, ""), before.cells.get(column, "")
        if said and said != was:
            what = f"{row.cells.get('name')} has {f'{column} {was}' if was else f'no {column}'} in line {before.line}"
            sheet.wrong(row, column, what, "rows of one name are one person: write the same, or another name")


# ── what comes of it ─────────────────────────────────────────────────────────────────────────────────────────────────


def with_known(parties: Sequence[Party], roster: Roster) -> tuple[Party, ...]:
    """The parties with the accounts of their people on the roster."""
    made = []
    for party in parties:
        found: dict[str, list[str]] = {}
        for one in roster.of_party(party.name):
            for tracker, account in one.accounts.items():
                found.setdefault(tracker, []).append(account)
        made.append(replace(party, known={at: tuple(dict.fromkeys(ids)) for at, ids in found.items()}))
    return tuple(made)


def beside(folder: Path, raw: Mapping[str, Any]) -> bytes:
    """What the roster that a file names says now; nothing where there is none to read."""
    people = raw.get("people")
    name = people.get("roster") if isinstance(people, dict) else None
    try:
        return (folder / name).read_bytes() if isinstance(name, str) and name else b""
    except (OSError, ValueError):
        return b""
