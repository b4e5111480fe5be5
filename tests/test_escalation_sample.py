"""The measure on real incidents counts what it says: on a small log that can be counted by hand, and on the sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.escalation_sample import LOG, measured, table

HEAD = (
    "number,incident_state,sys_mod_count,sys_updated_by,sys_updated_at,priority,assignment_group,assigned_to,category\n"
)


def log(folder: Path, *rows: str) -> Path:
    path = folder / "log.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return path


def test_the_columns_of_a_small_log_are_those_counted_by_hand(tmp_path: Path) -> None:
    """A: new on a Friday noon, over its day on Monday noon. B: urgent, taken up on Monday, silent until the next
    Monday: two steps, two openings after and one more. C: resolved at once, closed by the
    machine five days later."""
    path = log(
        tmp_path,
        "A,New,0,ann,4/3/2016 12:00,3 - Moderate,G,?,c",
        "A,Active,1,ann,8/3/2016 12:00,3 - Moderate,G,bob,c",
        "A,Closed,2,ann,8/3/2016 13:00,3 - Moderate,G,bob,c",
        "B,Active,0,ann,7/3/2016 09:00,1 - Critical,G,bob,c",
        "B,Closed,1,bob,14/3/2016 09:00,1 - Critical,G,bob,c",
        "C,Resolved,0,ann,7/3/2016 09:00,3 - Moderate,G,bob,c",
        *(f"C,Resolved,{n},machine,12/3/2016 09:0{n},3 - Moderate,G,bob,c" for n in range(1, 9)),
        "C,Closed,9,machine,12/3/2016 10:00,3 - Moderate,G,bob,c",
    )
    ours, plain = measured(path)
    assert {name: ours.by_rule[name] for name in ("late-report", "quiet-defect")} == {
        "late-report": 1,
        "quiet-defect": 2,
    }
    assert (ours.stalls, ours.weekends) == (3, 0)
    assert (ours.written["desk@example.org"], ours.written["lead@example.org"]) == (2, 1)
    assert ours.got == ours.written
    assert (plain.firings, plain.stalls, plain.weekends) == (3, 3, 1)
    assert "firings in all" in table(ours, plain)


@pytest.mark.skipif(not LOG.exists(), reason="wants ../shared/data/incident_log")
def test_on_real_incidents_the_shipped_rules_leave_weekends_alone_and_spare_people() -> None:
    ours, plain = measured(LOG)
    assert 0 < ours.stalls < plain.stalls and ours.weekends == 0 < plain.weekends
    assert all(ours.got[name] <= count for name, count in ours.written.items())
