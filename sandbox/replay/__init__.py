"""Real incidents, played again: the people of a year on three simulated trackers, and a checker of what became of
their words. Imports nothing of connectors, mappings or sync."""

from sandbox.replay.checker import Checker
from sandbox.replay.log import Event, events_of, read_log, sample
from sandbox.replay.places import replay_estate, replay_file
from sandbox.replay.play import play
from sandbox.replay.replay import Replay
from sandbox.replay.report import Report
from sandbox.replay.storm import Storm

__all__ = [
    "Checker",
    "Event",
    "Replay",
    "Report",
    "Storm",
    "events_of",
    "play",
    "read_log",
    "replay_estate",
    "replay_file",
    "sample",
]
