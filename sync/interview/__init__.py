"""What ``init`` does: asks the admin a little (``flags``, or ``ask`` on a terminal) and the trackers a lot (``look``),
proposes what fits together (``stages``, ``fields``; pure) and lays it out as a commented file (``page`` and its parts;
pure). No secret is ever written."""

from __future__ import annotations

from sync.interview.answers import Answers, SideAnswer, TrackerAnswer, Unclear
from sync.interview.look import look
from sync.interview.page import page
from sync.interview.put import put

__all__ = ["Answers", "SideAnswer", "TrackerAnswer", "Unclear", "look", "page", "put"]
