"""Two CSV files as a tracker, ``items.csv`` and ``comments.csv`` in one folder. The last row of an item counts, its
rows and comments together are its version, the state ``deleted`` removes it. To write your own: docs/connectors.md."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from connectors.auth import Secret, UserPassword
from connectors.base import Clock, Connector, Down, Gone, Notice, Opening, Page, Refused, Said, Stale, Unsure
from connectors.kinds import Kind, SignIn
from csv_rows import Moved, Rows, Unfinished, moment
from mappings.mentions import in_words
from mappings.model import Change, Comment, Draft, Mark, Record, Ref, Scope
from mappings.text import clean

ITEM = ("id", "at", "by", "type", "state", "mark", "keys", "title", "detail", "owner")
WORD = ("id", "item", "at", "by", "channel", "text")
FIELDS, STATES = ("title", "detail", "owner"), ("open", "working", "done")
USER = SignIn(("user",), lambda given: UserPassword(str(given["user"]), Secret("")))
KIND = Kind("csv", "lockstep_csv:Csv", ("type",), ("everyone", "team"), (USER,), schemes=("file",))


class Csv(Connector):
    """``url`` is the folder as ``file:///path``; ``auth.user`` is the name that our rows are signed with."""

    kind, note_channel, comment_limit, consecutive, lag = "csv", "team", 32_000, True, timedelta(0)
    title, details = "title", "detail"

    def __init__(self, name: str, url: str, auth: UserPassword, clock: Clock, **options: Any) -> None:
        self.name, self.clock, self.updater, self.page = name, clock, auth.user, options.get("page") or 1000
        self.folder = Path(unquote(urlsplit(url).path))
        self.items, self.words = Rows(self.folder / "items.csv", ITEM), Rows(self.folder / "comments.csv", WORD)

    @contextmanager
    def failures(self, what: str) -> Iterator[None]:
        try:
            yield
        except Moved:
            raise Stale(f"{self.name}: {what} moved on") from None
        except Unfinished as error:
            raise Unsure(f"{self.name}: the row of {what} may be written: {error}") from None
        except OSError as error:
            raise Down(f"{self.name}: {what} is out of reach: {error.strerror}") from None

    def records(self, scope: Scope) -> dict[str, tuple[Record, int]]:
        """Every item that is alive, with the place of its last row."""
        with self.failures(str(self.folder)):
            said, rows = [row["item"] for row in self.words.read()], self.items.read()
        seen: dict[str, list[datetime]] = {}
        found: dict[str, tuple[Record, int]] = {}
        for place, row in enumerate(rows):
            (at := seen.setdefault(row["id"], [])).append(moment(row["at"]))
            ref, url = Ref(self.name, row["id"]), f"{self.folder.as_uri()}#{row['id']}"
            mark = Mark.parse(row["mark"], row["keys"]) if row["mark"] == scope.mark else None
            inside = row["type"] in scope.types and all(row.get(name) in wanted for name, wanted in scope.where)
            fields = {name: row[name] or None for name in scope.fields if name in FIELDS}
            talk = said.count(ref.id)
            record = Record(ref, ref.id, url, row["type"], row["state"], len(at) + talk, at[0], at[-1], row["by"])
            record = replace(record, assignee=row["owner"], fields=fields, mark=mark, in_scope=inside)
            found[ref.id] = replace(record, occupied="" if mark else row["mark"], talk=str(talk)), place
        return {id: (record, place) for id, (record, place) in found.items() if record.state != "deleted"}

    def open(self, scopes: Sequence[Scope]) -> Opening:
        if not self.folder.is_dir():
            raise Down(f"{self.name}: there is no folder {self.folder}")
        unknown = [(s.side, name, f'there is no "{name}"') for s in scopes for name in s.fields if name not in FIELDS]
        return Opening(self.updater, tuple(unknown))

    def states(self, scope: Scope) -> Sequence[str]:
        return STATES

    def fields_known(self, scope: Scope) -> Collection[str]:
        return FIELDS

    def changes(self, scope: Scope, cursor: str) -> Iterator[Page]:
        """The cursor counts the rows seen of both files: what stands before it never changes."""
        items, words = (int(part) for part in (cursor or "0 0").split())
        with self.failures(str(self.folder)):
            comments = self.words.read()
        moved = {row["item"] for row in comments[words:]}
        found = sorted(self.records(scope).values(), key=lambda two: two[1])
        due = [(r, at) for r, at in found if (at >= items or r.ref.id in moved) and (r.in_scope or r.mark)]
        for start in range(0, max(1, len(due)), self.page):
            page, last = due[start : start + self.page], start + self.page >= len(due)
            items = max([items, *(at + 1 for _, at in page)])
            notices = tuple(Notice(record.ref, record.version, record) for record, _ in page)
            yield Page(notices, f"{items} {len(comments) if last else words}", last)

    def read(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Record | None]:
        found = self.records(scope) if ids else {}
        return {id: found[id][0] if id in found else None for id in ids}

    def discussions(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, tuple[Comment, ...]]:
        found: dict[str, list[Comment]] = {id: [] for id in ids}
        with self.failures(str(self.folder)):
            rows = [row for row in self.words.read() if row["item"] in found] if ids else []
        for row in rows:
            on, at, by = Ref(self.name, row["item"]), moment(row["at"]), row["by"]
            found[on.id].append(Comment(on, row["id"], row["channel"], by, by, at, at, row["text"], by == self.updater))
        return {id: tuple(comments) for id, comments in found.items()}

    def create(self, scope: Scope, draft: Draft) -> Record:
        own = {"id": f"T-{secrets.token_hex(4)}", "type": draft.kind, "state": STATES[0], "keys": draft.mark.keys()}
        return self.revise(scope, dict.fromkeys(ITEM, ""), {**own, "mark": scope.mark, **draft.extra, **draft.fields})

    def update(self, scope: Scope, record: Record, change: Change) -> Record:
        values = {**change.fields, **change.with_state} | ({"state": change.state} if change.state else {})
        return self.revise(scope, self.last(record), values, change.version or record.version)

    def adopt(self, scope: Scope, record: Record, mark: Mark) -> Record:
        if record.occupied:
            raise Refused(f"{record.key} is marked by {record.occupied}", ("mark",))
        keys = {"mark": scope.mark, "keys": mark.keys()}
        return record if record.mark == mark else self.revise(scope, self.last(record), keys, record.version)

    def unmark(self, scope: Scope, record: Record, mark: Mark) -> Record:
        bare = {"mark": "", "keys": ""}
        return self.revise(scope, self.last(record), bare, record.version) if record.mark else record

    def revise(self, scope: Scope, row: dict[str, str], values: Mapping[str, Any], version: int = 0) -> Record:
        wrong = tuple(name for name in values if name not in ITEM)
        if wrong or values.get("state", STATES[0]) not in STATES:
            raise Refused(f"there is no {', '.join(wrong) or 'state ' + values['state']}", wrong or ("state",))
        own = {"at": self.clock.now().isoformat(), "by": self.updater}
        with self.failures(row["id"] or "the new item"):
            version = version and version - sum(said["item"] == row["id"] for said in self.words.read())
            self.items.append(row | {name: clean(value or "")[0] for name, value in values.items()} | own, version)
        return self.records(scope)[values.get("id") or row["id"]][0]

    def last(self, record: Record) -> dict[str, str]:
        with self.failures(record.key):
            rows = [row for row in self.items.read() if row["id"] == record.ref.id]
        if not rows or rows[-1]["state"] == "deleted":
            raise Gone(f"{self.name}: there is no {record.key}")
        return rows[-1]

    def say(self, scope: Scope, record: Record, channel: str, text: str) -> Said:
        id, at, item = f"C-{secrets.token_hex(4)}", self.clock.now().isoformat(), self.last(record)["id"]
        with self.failures(record.key):
            self.words.append(dict(zip(WORD, (id, item, at, self.updater, channel, in_words(text)), strict=True)))
        return Said(id)

    def calls(self) -> int:
        return self.items.asked + self.words.asked
