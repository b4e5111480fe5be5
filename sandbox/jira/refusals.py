"""Jira's ways of saying no, worded as it words them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

HIDDEN = "Issue does not exist or you do not have permission to see it."
OFF_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."
TOO_LONG = "The entered text is too long. It exceeds the allowed limit of {:,} characters."


class Rejected(Exception):
    """A request that Jira refuses: status, ``errorMessages`` and ``errors``."""

    def __init__(self, status: int, messages: Sequence[str] = (), errors: Mapping[str, str] | None = None) -> None:
        self.status, self.messages, self.errors = status, list(messages), dict(errors or {})
        super().__init__("; ".join([*self.messages, *(f"{name}: {why}" for name, why in self.errors.items())]))

    def body(self) -> dict[str, object]:
        return {"errorMessages": self.messages, "errors": self.errors}


class Invalid(Exception):
    """A value that a field does not take; the message is Jira's."""


def hidden() -> Rejected:
    return Rejected(404, [HIDDEN])
