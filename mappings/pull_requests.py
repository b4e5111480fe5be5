"""Pull requests: what several that belong to one item come to."""

from __future__ import annotations

from collections.abc import Collection

OPEN, MERGED, ABANDONED = "open", "merged", "abandoned"


def standing(states: Collection[str]) -> str | None:
    """Open while any is open; merged once all that are not abandoned are; ``None`` where there is none."""
    kept = set(states) - {ABANDONED}
    if not states:
        return None
    return OPEN if OPEN in kept else MERGED if kept else ABANDONED
