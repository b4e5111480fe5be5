"""The figures of a run: sums of its histories, and the checker's table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.outcome import COUNTS, KINDS, Outcome

#: columns whose names are long are headed by two or three short lines
HEADS = {
    "histories": "histo-\nries",
    "requests": "re-\nquests",
    "stale overwrite": "stale\nover-\nwrite",
    "diverged": "di-\nverged",
    "not quiet": "not\nquiet",
    "resurrected": "resur-\nrected",
    "over quota": "over\nquota",
    "held without cause": "held\nwithout\ncause",
}


@dataclass
class Tally:
    """Sums by profile: ``sums`` of ``COUNTS`` and histories, ``found`` of the kinds of findings (a history counts once
    for each kind). ``twice``: histories that were lived again in another process. ``wrong`` are those with findings."""

    sums: dict[str, Counter[str]] = field(default_factory=dict)
    found: dict[str, Counter[str]] = field(default_factory=dict)
    twice: int = 0
    seeds: tuple[int, int] | None = None
    wrong: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome, *, twice: bool = False) -> None:
        """Counts a history in."""
        sums = self.sums.setdefault(outcome.profile, Counter())
        sums["histories"] += 1
        sums.update({name: outcome.counts.get(name, 0) for name in COUNTS})
        self.found.setdefault(outcome.profile, Counter()).update(outcome.kinds)
        self.twice += twice
        first, last = self.seeds or (outcome.seed, outcome.seed)
        self.seeds = (min(first, outcome.seed), max(last, outcome.seed))
        if outcome.findings:
            self.wrong.append(outcome)

    def take(self, sums: Mapping[str, Mapping[str, int]], found: Mapping[str, Mapping[str, int]], twice: int) -> None:
        """Counts in what another one has summed up."""
        for profile, figures in sums.items():
            self.sums.setdefault(profile, Counter()).update(figures)
            self.found.setdefault(profile, Counter()).update(found[profile])
        self.twice += twice

    @property
    def histories(self) -> int:
        return sum(sums["histories"] for sums in self.sums.values())

    @property
    def clean(self) -> bool:
        return not self.wrong

    def rows(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """A row for each profile, and one for all."""
        for profile, sums in self.sums.items():
            yield profile, {**figures(sums), **{kind: self.found[profile][kind] for kind in KINDS}}
        sums, found = sum(self.sums.values(), Counter()), sum(self.found.values(), Counter())
        yield "all", {**figures(sums), **{kind: found[kind] for kind in KINDS}}

    def table(self) -> str:
        """The rows under their names."""
        rows = list(self.rows())
        names = list(rows[0][1])
        heads = [["profile"], *(HEADS.get(name, name).split("\n") for name in names)]
        height = max(map(len, heads))
        lines = [[head[len(head) - height + n] if len(head) - height + n >= 0 else "" for head in heads]
                 for n in range(height)]  # fmt: skip
        lines += [[profile, *(f"{figure:,}" for figure in row.values())] for profile, row in rows]
        return aligned(lines)

    def as_json(self) -> dict[str, Any]:
        """The figures and the findings as plain values."""
        findings = [
            {"profile": one.profile, "seed": one.seed, "kind": finding.kind, "item": finding.item, "text": finding.text}
            for one in self.wrong
            for finding in one.findings
        ]
        seeds = list(self.seeds or ())
        return {"profiles": dict(self.rows()), "twice": self.twice, "seeds": seeds, "findings": findings}


def figures(sums: Mapping[str, int]) -> dict[str, int]:
    return {name: sums.get(name, 0) for name in ("histories", *COUNTS)}


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be: the first to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines)


def span(seconds: float) -> str:
    """A duration as people say it: ``1 h 58 min``, ``3 min 20 s``."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
