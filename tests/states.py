"""New states for tests, without running the migrations for each."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sync.store import Store


@cache
def new_state() -> bytes:
    """A SQLite state of which nothing is known, as the migrations leave it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lockstep.db"
        store = Store(f"sqlite:///{path}", "any")
        store.open()
        store.close()
        return path.read_bytes()
