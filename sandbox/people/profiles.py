"""The kinds of histories (goals A1): what people do in each, how often, and in what weather."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: how often people do what, where a profile says nothing else
ACTS = {
    "incident": 2,
    "comment": 6,
    "whisper": 2,
    "title": 3,
    "rank": 3,
    "state": 4,
    "tend": 1,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """``acts`` are names of acts with their weights, ``begin`` the first steps, ``length`` how many bursts follow,
    ``burst`` how many acts one may have; ``between`` are steps that may stand between a burst and its pass, each with
    its chance. ``lag``: seconds by which Jira's index trails, from and to. ``joins``: several incidents in a link."""

    name: str
    acts: Mapping[str, int] = field(default_factory=lambda: dict(ACTS))
    begin: tuple[str, ...] = ("incident", "pass", "pass")
    length: int = 8
    burst: tuple[int, ...] = (1, 1, 2, 3)
    between: Mapping[str, float] = field(default_factory=lambda: {"wait": 0.5, "sweep": 0.2})
    lag: tuple[int, int] = (0, 0)
    joins: bool = False


def more(**acts: int) -> dict[str, int]:
    """The usual acts with others, or otherwise weighted."""
    return {**ACTS, **acts}


PROFILES = {
    one.name: one
    for one in (
        Profile("plain"),
        Profile("crashes", between={"wait": 0.4, "die": 0.6, "sweep": 0.2}),
        Profile("conflicts", burst=(2, 3, 4), acts=more(title=6, rank=6, state=6)),
        Profile("quota", between={"storm": 0.5, "calm": 0.4, "wait": 0.5, "sweep": 0.2}),
    )
}
