"""Trying again at once what is set aside, by a person's word."""

from __future__ import annotations

from mappings.wording import many
from sync.engine import Engine
from sync.freezing.brake import Unpaused
from sync.freezing.budget import STOPPED


def again(engine: Engine, item: str, by: str) -> str:
    """What is set aside of the item of that key, or of every item where none is named, is tried again in the next pass.
    The answer in words; raises ``Unpaused`` where nothing is held of that item."""
    rows = [(h, key) for h, key in engine.store.held() if item.casefold() in ("", key.casefold(), h.ref.id.casefold())]
    if not rows:
        if item:
            raise Unpaused(f"nothing is held of {item}; lockstep held lists what is")
        return "Nothing is held."
    now = engine.now()
    stopped = [held.ref for held, _ in rows if held.what == STOPPED]
    if stopped:
        engine.store.begin_anew(stopped, by, now)
    engine.store.try_again([held for held, _ in rows if held.what != STOPPED], by, now)
    names = ", ".join(dict.fromkeys(key for _, key in rows))
    return f"Tried again in the next pass: {many(len(rows), 'thing')} held of {names}."
