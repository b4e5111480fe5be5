"""What a replay came to, in figures and, where something is wrong, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: what a checker may find; each must be none
KINDS = ("lost", "doubled", "phantom", "leaked", "diverged", "overwritten", "unpaired", "uncalled", "forgotten")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a kind of ``KINDS``, the incident, and a sentence."""

    kind: str
    incident: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.incident}: {self.text}"


@dataclass
class Report:
    """The totals. ``writes`` and ``reads`` are counted from the request log; ``held`` is what is set aside, by cause,
    as the caller knows it."""

    incidents: int = 0
    windows: int = 0
    passes: int = 0
    eligible: int = 0
    links: int = 0
    comments: int = 0
    copies: int = 0
    notes: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    reads: int = 0
    writes: int = 0
    faults: int = 0
    checkpoints: int = 0
    findings: tuple[Finding, ...] = ()
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[str]:
        """How many findings there are of each kind."""
        return Counter(finding.kind for finding in self.findings)

    @property
    def clean(self) -> bool:
        return not self.findings

    def rows(self) -> Sequence[tuple[str, str]]:
        """The table's lines: a name and a figure."""
        people = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.acts.items()))
        held = ", ".join(f"{count} × {cause}" for cause, count in self.held.items()) or "nothing"
        return (
            ("incidents", f"{self.incidents:,}, {self.eligible:,} of them eligible"),
            ("links", f"{self.links:,}"),
            ("acts of people", people),
            ("comments to carry", f"{self.comments:,}, {self.copies:,} copies"),
            ("passes", f"{self.passes:,} over {self.windows:,} windows, {self.faults:,} faults, {self.notes:,} notes"),
            ("requests", f"{self.reads:,} reads, {self.writes:,} writes"),
            ("checked", f"{self.checkpoints} times"),
            *((kind, f"{self.counts[kind]}") for kind in KINDS),
            ("held", held),
        )

    def table(self) -> str:
        """The lines under each other."""
        width = max(len(name) for name, _ in self.rows())
        return "\n".join(f"{name:<{width}}  {figure}" for name, figure in self.rows())
