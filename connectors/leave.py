"""Leave to write: whoever has a connector write is asked once more right before each request goes out. Between the
decision and the sending a process may have been stopped, or a machine frozen, for as long as one likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Ask = Callable[[], None]

_asked: ContextVar[Ask | None] = ContextVar("leave", default=None)


@contextmanager
def with_leave(ask: Ask) -> Iterator[None]:
    """``ask`` is called now, and while it lasts again in this thread right before each request of a write is sent. What
    it raises keeps the request back and reaches the caller as it is, past the client libraries."""
    ask()
    token = _asked.set(ask)
    try:
        yield
    finally:
        _asked.reset(token)


def ask_leave() -> None:
    """Raises where nothing may be sent any more."""
    ask = _asked.get()
    if ask is not None:
        ask()
