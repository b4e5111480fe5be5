"""The audit: what was not done in time is found from recorded history, whatever the state says of when it was due."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mappings.calendar import Span
from sync.escalation.overdue import overdue, patience
from sync.running.audit import audit, daily
from sync.running.daemon import Daemon
from sync.running.signals import Signals
from sync.setup import Notices
from sync.state import Firing, Movement
from sync.store import tables as t
from tests.builders import DAY, HOUR, MINUTE, NOW, link, rule, setup
from tests.test_escalation import Office, an_office
from tests.world import cli

STALLED = Movement("stage:1:Fixing", "stage", NOW - DAY, "Fixing", "developers")
RULE = rule(quiet=Span(0, 3600 * 20), after=(None, Span(0, 3600)))


def found(*movements: Movement, at: timedelta = timedelta(0), **said: object) -> list[tuple[str, int]]:
    here = setup(rules=(RULE,))
    given = {"armed": {"quiet": NOW - 3 * DAY}, "opened": NOW - 2 * DAY, "movements": movements, **said}
    return [(one.due.rule.id, one.due.step) for one in overdue(here, [link(**given)], NOW + at)]


# ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_step_that_should_have_fired_a_poll_and_a_sweep_ago_is_overdue() -> None:
    assert found(STALLED) == [("quiet", 2)]


def test_one_that_fired_was_superseded_or_is_not_due_long_enough_is_not() -> None:
    fired = (Firing("quiet", STALLED.event, 1, NOW, "superseded"), Firing("quiet", STALLED.event, 2, NOW))
    assert found(STALLED, firings=fired) == []
    due_now = Movement("stage:1:Fixing", "stage", NOW - 20 * HOUR, "Fixing", "developers")
    assert found(due_now, at=60 * MINUTE) == []
    assert found(due_now, at=61 * MINUTE) == [("quiet", 1)]


def test_work_that_is_over_that_moved_or_that_no_rule_looked_at_then_is_left_in_peace() -> None:
    closed = Movement("stage:2:Closed", "stage", NOW - 10 * HOUR, "Closed", "")
    said = Movement("comment:jira:1", "comment", NOW - 2 * HOUR, "Fixing", "developers", "developers")
    assert found(STALLED, closed, closed=NOW - 10 * HOUR) == []
    assert found(STALLED, said) == []
    assert found(STALLED, armed={"quiet": NOW}) == []


def test_a_message_may_wait_a_day_or_as_long_as_the_file_lets_it() -> None:
    assert patience(setup()) == DAY
    assert patience(setup(notices=Notices(digest=DAY, quiet_from=20 * 60, quiet_to=7 * 60))) == DAY + 11 * HOUR


# ── the state, the command, the daemon ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with an_office(tmp_path) as made:
        for name, value in made.world.estate.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sync.commands.engines.SystemClock", lambda: made.world.estate.clock)
        yield made


def forget_when_due(office: Office) -> None:
    """The state loses what it stored of when something falls due: no pass will look by itself."""
    with office.world.engine.store.db.begin() as connection:
        connection.execute(sa.update(t.links).values(due=None))


def test_a_due_instant_that_was_lost_is_found_by_the_audit_and_by_it_alone(office: Office) -> None:
    world = office.world
    assert cli(world, "audit").output == "Nothing is overdue, nothing waits, nothing was refused.\n"
    forget_when_due(office)
    office.at(2, 0)
    assert office.came() == (0, [], 0, "0")
    done = cli(world, "audit")
    assert done.exit_code == 1
    assert "quiet-defect, step" in done.output and "not fired" in done.output
    told = json.loads(cli(world, "audit", "--json").output)
    assert [one["rule"] for one in told["overdue"]] == ["quiet-defect"]
    world.engine.store.touch_all(closed=False)
    office.at(2, 1)
    assert office.came()[0] + len(office.came()[1]) > 0
    assert cli(world, "audit").exit_code == 0


def test_a_daemon_looks_once_a_day_and_tells_what_it_finds_once(office: Office) -> None:
    world = office.world
    engine = world.engine
    daemon = Daemon(engine, Signals(), lambda: None, lambda setup, engine: engine)
    daemon.once()
    forget_when_due(office)
    world.later(days=3)
    found = daily(engine)
    assert found is not None and {one.due.rule.id for one in found.steps} == {"quiet-defect", "over-target"}
    assert daily(engine) is None
    world.later(days=1)
    again = daily(engine)
    assert again is not None and not again.clean


def test_mail_that_finds_no_server_for_more_than_a_day_is_told(office: Office) -> None:
    office.at(1)
    office.close()
    office.at(2)
    assert audit(office.world.engine).clean
    office.at(3, 4)
    stuck = audit(office.world.engine).stuck
    assert [kind for _, kind, _, _ in stuck] == ["email"]
    assert "cannot be reached" in cli(office.world, "audit").output
    office.open()
    office.at(3, 6)
    assert audit(office.world.engine).stuck == ()


def test_a_recipient_that_was_refused_is_told(tmp_path: Path) -> None:
    with an_office(tmp_path, {"dev@example.org": "550 no such user"}) as office:
        office.at(1)
        office.at(2)
        ((_, kind, who, reason),) = audit(office.world.engine).refused
        assert (kind, who, "no such user" in reason) == ("email", "dev@example.org", True)
        assert len(office.mails) == 1, "the other one has it"
        office.world.later(days=8)
        assert audit(office.world.engine).refused == ()
