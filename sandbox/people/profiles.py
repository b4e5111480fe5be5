"""The kinds of histories (goals A1): what people do in each, how often, and in what weather."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: how often people do what, where a profile says nothing else
ACTS = {
    "incident": 2,
    "fresh": 2,
    "take": 2,
    "defect": 1,
    "comment": 6,
    "whisper": 2,
    "ours": 1,
    "robot": 1,
    "title": 3,
    "describe": 1,
    "revise": 1,
    "rank": 3,
    "foreign": 1,
    "state": 4,
    "reply": 1,
    "tend": 1,
}
#: what may stand between a burst and its pass, in this order, and how often
BETWEEN = {"calm": 0.0, "meanwhile": 0.3, "wait": 0.5, "sweep": 0.2}


def more(**acts: int) -> dict[str, int]:
    """The usual acts with others, or otherwise weighted."""
    return {**ACTS, **acts}


def between(**steps: float) -> dict[str, float]:
    return {**BETWEEN, **steps}


@dataclass(frozen=True, slots=True)
class Profile:
    """``acts`` are names of acts with their weights; ``begin`` and ``end`` the first and last steps, ``length`` how
    many bursts stand between them, ``burst`` how many acts one may have, and ``pauses`` the share of acts before which
    time passes; ``between`` are steps before its pass, each with how often it stands there: 0.3 is now and then, 1.5 is
    once or twice. ``sweeps`` is the share of histories that sweep; ``pages`` are sizes of pages to choose from;
    ``poll`` the seconds from one pass to the next. ``land`` is what is unusual about the trackers, and ``storms`` what
    a storm may be, each with its weight (``sandbox.people.weather``). ``room``: incidents and defects there may be.
    ``parts``: how often an item is taken out of its link in the end."""

    name: str
    acts: Mapping[str, int] = field(default_factory=lambda: dict(ACTS))
    begin: tuple[str, ...] = ("incident", "pass", "pass")
    end: tuple[str, ...] = ()
    length: int = 6
    burst: tuple[int, ...] = (1, 2, 2, 3)
    pauses: float = 0.0
    between: Mapping[str, float] = field(default_factory=lambda: dict(BETWEEN))
    sweeps: float = 0.5
    pages: tuple[int, ...] = (0, 0, 3)
    poll: tuple[int, ...] = (30,)
    land: tuple[str, ...] = ()
    storms: Mapping[str, int] = field(default_factory=lambda: {"mixed": 2, "heavy": 3, "precise": 4, "answers": 2})
    room: int = 3
    parts: float = 0.0

    @property
    def weighted(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The acts, and how likely each is."""
        kinds, weights = zip(*sorted(self.acts.items()), strict=True)
        return kinds, weights


PROFILES = {
    one.name: one
    for one in (
        Profile("plain"),
        Profile(
            "lag",
            acts=more(incident=4, comment=8, title=4, rank=4, defect=3, edit=1, everywhere=2),
            between=between(meanwhile=1.2, wait=0.7, storm=0.4, calm=0.4),
            begin=("incident", "storm", "pass", "pass", "calm", "defect", "pass"),
            burst=(2, 3, 4),
            pauses=0.25,
            sweeps=0.35,
            poll=(30, 30, 60),
            land=("lag", "zone"),
            storms={"births": 4, "answers": 2, "precise": 1},
        ),
        Profile(
            "hot",
            acts={"comment": 6, "title": 4, "rank": 4, "state": 4, "tend": 4, "describe": 2, "flip": 2, "whisper": 2}
            | {"rethink": 6},
            burst=(2, 3, 4),
            between=between(meanwhile=2.6, storm=0.35, calm=0.4, wait=0.0),
            storms={"answers": 4, "precise": 2, "heavy": 1},
            sweeps=0.25,
            poll=(0, 1, 5, 30),
            room=1,
        ),
        Profile(
            "ties",
            acts=more(incident=6, defect=4, comment=8, title=5, fresh=2, everywhere=6),
            begin=("incident", "incident", "incident", "pass", "pass"),
            length=4,
            burst=(3, 4, 5),
            pauses=0.25,
            between=between(meanwhile=1.5, storm=0.35, calm=0.4, wait=0.6),
            sweeps=0.25,
            storms={"pages": 6, "mixed": 1, "heavy": 2, "precise": 2, "answers": 1},
            pages=(1, 2, 2, 3),
            poll=(0, 0, 1, 5, 60),
            land=("skew", "zone", "pages"),
            room=4,
        ),
        Profile(
            "crashes",
            acts=more(finish=1, reopen=1, flip=1),
            begin=("incident", "incident", "pass", "pass"),
            pauses=0.25,
            between=between(die=0.7, restart=0.1, storm=0.15, calm=0.4),
            sweeps=0.25,
            pages=(0, 1, 2),
            storms={"precise": 2, "births": 1, "heavy": 1, "answers": 2},
            length=5,
        ),
        Profile(
            "quota",
            between=between(storm=0.6, calm=0.4, die=0.1),
            storms={"quota": 7, "doors": 1, "limits": 2, "mixed": 1, "cancelled": 1},
            land=("skew",),
        ),
        Profile(
            "weather",
            between=between(storm=0.8, calm=0.3, die=0.1),
            storms={
                "mixed": 2,
                "heavy": 3,
                "precise": 5,
                "births": 2,
                "pages": 1,
                "doors": 1,
                "rights": 1,
                "blind": 2,
                "mute": 2,
                "answers": 4,
            }
            | {"cancelled": 2, "quota": 1},
            land=("pages", "odd"),
        ),
        Profile(
            "conflicts",
            acts=more(clash=14, agree=3, flip=4, waver=3, lossy=5, rank=4, state=5, finish=3, reopen=3, comment=3)
            | {"shape": 2, "odd": 2, "rethink": 3},
            land=("odd",),
            burst=(1, 2, 3),
            between=between(meanwhile=0.5, die=0.15, storm=0.15, calm=0.4),
        ),
        Profile(
            "lost",
            acts=more(defect=2),
            begin=("incident", "pass", "lose"),
            length=3,
            burst=(2, 3, 4),
            between=between(lose=0.3, storm=0.15, calm=0.5),
            storms={"precise": 1, "heavy": 1, "mute": 2},
        ),
        Profile(
            "deletes",
            acts=more(delete=3, undelete=4, hide=3, empty=2, show=5),
            begin=("incident", "incident", "pass", "pass"),
            between=between(sweep=0.5, storm=0.1, calm=0.4, die=0.1),
            end=("restore",),
            sweeps=1.0,
        ),
        Profile(
            "flood",
            acts=more(
                flood=5,
                alike=4,
                forge=5,
                lengthy=1,
                whisper=4,
                edit=4,
                erase=3,
                wipe=1,
                ours=3,
                robot=2,
                title=1,
                rank=1,
            ),
            length=5,
            between=between(meanwhile=0.4, wait=0.7, storm=0.35, calm=0.3, die=0.1),
            storms={"mixed": 1, "heavy": 1, "precise": 2, "answers": 2, "cancelled": 3, "mute": 3},
            land=("talk",),
            room=2,
        ),
        Profile(
            "scope",
            acts=more(leave=7, enter=6, retype=3, relocate=1, fresh=3, take=3, flip=1),
            between=between(die=0.1, storm=0.1, calm=0.4),
        ),
        Profile(
            "joins",
            acts=more(incident=4, child=6, kin=6, finish=3, reopen=2, comment=8, state=3, take=2, leave=1),
            begin=("incident", "incident", "pass", "pass"),
            between=between(die=0.15, storm=0.1, calm=0.4),
            room=4,
            parts=0.25,
        ),
    )
}
