"""The boundaries at which a process may be killed, and what it leaves behind at each.

A killed process leaves what the world outside has seen: what its trackers took, what the state committed, what a mail
server or a webhook was given. Between two such events it makes no difference where it is killed. So the boundaries of a
process's life are its events, and the instant after each stands for all up to the next: an intent committed and not
sent, sent and not heard of, heard of and not settled, settled and the next not committed.

Nothing dies here: at each boundary the world is photographed as a kill would leave it, the write-ahead log of the
database included, and another process begins from the photograph. Nothing can unwind, so nothing can tidy up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests
import sqlalchemy as sa

from connectors.wire import Wire
from sync.escalation import outbox
from sync.store.database import Database
from tests.world import writes


@contextmanager
def told_of_boundaries(took_place: Callable[[str], None]) -> Iterator[None]:
    """``took_place`` is called with the name of each event of the processes at work inside, right after it."""
    begin, send, letter = Database.begin, Wire.send, outbox.send_letter

    @contextmanager
    def committing(database: Database) -> Iterator[sa.Connection]:
        with begin(database) as connection:
            before = changes(connection)
            yield connection
            changed = changes(connection) != before
        if changed:
            took_place("commit")

    def sending(wire: Wire, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = send(wire, request, **options)
        line = f"{getattr(wire, 'tracker', 'webhook')} {request.method} {urlsplit(request.url or '').path}"
        if writes([line]):
            took_place(line)
        return response

    def mailing(*given: Any) -> None:
        letter(*given)
        took_place("mail")

    with (
        patch.object(Database, "begin", committing),
        patch.object(Wire, "send", sending),
        patch.object(outbox, "send_letter", mailing),
    ):
        yield


def changes(connection: sa.Connection) -> int:
    """How many rows this connection to SQLite has changed so far."""
    driver = connection.connection.dbapi_connection
    assert driver is not None
    return int(driver.total_changes)
