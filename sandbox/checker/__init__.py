"""The general checker: holds a history of people, faults and the bot against the promise. It sees what the trackers
hold, their request logs and what people did; nothing of the bot's state, and none of its code."""

from sandbox.checker.check import check
from sandbox.checker.evidence import KINDS, Evidence, Finding, Held

__all__ = ["KINDS", "Evidence", "Finding", "Held", "check"]
