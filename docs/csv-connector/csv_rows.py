"""The client under the connector: a CSV file whose rows are only appended, one a line, under a lock. A line break in a
cell is written ⏎, so that a row cut off by a crash can spoil no other."""

import csv
import fcntl
import io
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path


class Moved(Exception):
    """The item has more rows than the writer knew of: nothing was written."""


class Unfinished(Exception):
    """The row may be written or not."""


class Rows:
    """``asked`` counts the times the file was opened."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns, self.asked = path, columns, 0

    def read(self) -> list[dict[str, str]]:
        """Every whole row with a time that can be read. A last line without its end is an append under way. Raises
        ``OSError``."""
        self.asked += 1
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().decode("utf-8", "replace").split("\n")[:-1]
        cells = [[cell.replace("⏎", "\n") for row in csv.reader([line]) for cell in row] for line in lines]
        rows = [dict(zip(self.columns, row, strict=True)) for row in cells if len(row) == len(self.columns)]
        return [row for row in rows if timed(row["at"])]

    def append(self, row: Mapping[str, str], version: int = 0) -> None:
        """Adds a row in one locked write; with a ``version``, only while so many rows have its id. Raises ``Moved``,
        ``Unfinished``, and ``OSError`` where certainly nothing was written."""
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row[name].replace("\n", "⏎") for name in self.columns)
        with self.path.open("a+b", buffering=0) as target:
            fcntl.flock(target, fcntl.LOCK_EX)
            if version and sum(known["id"] == row["id"] for known in self.read()) != version:
                raise Moved
            end = target.seek(0, os.SEEK_END)
            torn = end and os.pread(target.fileno(), 1, end - 1) != b"\n"
            whole = (b"\n" if torn else b"") + line.getvalue().encode()
            try:
                written = target.write(whole)
                os.fsync(target.fileno())
            except OSError as error:
                raise Unfinished(error.strerror) from None
            if written != len(whole):
                raise Unfinished("it was cut off")


def moment(text: str) -> datetime:
    """A row's time; one without a zone is UTC. Raises ``ValueError``."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def timed(text: str) -> bool:
    try:
        return bool(moment(text))
    except ValueError:
        return False
