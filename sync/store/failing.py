"""Why the state cannot be worked on, named for what its reader can do."""

from __future__ import annotations


class StateLocked(Exception):
    """Another Lockstep works on this state. Stop it first, or point bot.state elsewhere."""


class StateBroken(Exception):
    """The state cannot be used. The message says why and what helps."""


class Fenced(StateBroken):
    """This process works on the state no longer: another Lockstep took over, or the state was taken away from under it.
    It writes nothing more."""
