"""What ``doctor`` does: asks every tracker what it is like (``visit``), compares that with the admin's file
(``examine``, pure) and shows what it found (``show``). Writes nothing, neither to a tracker nor to the state."""

from __future__ import annotations

from sync.doctor.examine import examine
from sync.doctor.findings import Finding, Report
from sync.doctor.visit import visit

__all__ = ["Finding", "Report", "examine", "visit"]
