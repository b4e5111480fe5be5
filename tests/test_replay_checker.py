"""The checker of the replay finds what it is there to find: each wrong is done by hand to a replay that is in step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.jira.defaults import BOT
from sandbox.replay import Checker, Event, replay_file
from sandbox.replay.acts import Window
from sandbox.replay.course import Passed
from tests.played import Played

START = datetime(2016, 3, 1, 8, 0, tzinfo=UTC)
LEVELS = {"impact": "2 - Medium", "urgency": "2 - Medium"}


class Judged:
    """A small replay that was played to its end, and the checker that saw all of it."""

    def __init__(self, folder: Path) -> None:
        states = ("New", "Active", "Awaiting Vendor", "Active")
        rows = [(START + timedelta(minutes=10 * n + k), k, n, states[n]) for n in range(4) for k in range(3)]
        events = [Event(f"INC{k:07}", at, n, "Updated by 1", state, {**LEVELS, "category": f"Category {k}"})
                  for at, k, n, state in rows]  # fmt: skip
        self.played = Played(folder, events, START)
        self.estate = self.played.estate
        self.checker = Checker(self.played.replay, replay_file())
        for window in self.played.replay:
            self.passed(window)
        assert self.checker.check() == ()
        items = next(iter(self.checker.marks.links.values()))
        self.incident, self.defect, self.pbi = (items[side][0] for side in ("incident", "defect", "pbi"))

    def passed(self, window: Window, *, bot: bool = True) -> None:
        begun = self.estate.clock.tick()
        if bot:
            self.played.once()
        self.checker.window(window, [Passed(begun, self.estate.clock.tick())])

    def again(self, *, bot: bool = False) -> set[str]:
        """The kinds of what is found after one more window in which the bot did nothing, or what it does."""
        self.estate.clock.advance(timedelta(minutes=5))
        self.passed(Window(99, 99, self.estate.clock.now(), (), False), bot=bot)
        return {finding.kind for finding in self.checker.check()}

    def spoken(self) -> None:
        """A person speaks in ServiceNow, and the bot carries it."""
        self.checker.note([self.played.replay.caller.speaks(self.incident, "Hear me out C999", "ann.lee", "comments")])
        assert self.again(bot=True) == set()

    def copy(self) -> dict[str, str]:
        return next(c for c in self.estate.jira.comments(self.defect) if "C999" in c["text"])


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Judged]:
    judged = Judged(tmp_path)
    yield judged
    judged.played.close()


def lose_a_copy(judged: Judged) -> None:
    judged.spoken()
    judged.estate.jira.delete_comment(judged.defect, judged.copy()["id"], BOT.account_id)


def say_a_copy_twice(judged: Judged) -> None:
    judged.spoken()
    judged.estate.jira.comment(judged.defect, judged.copy()["text"], BOT.account_id)


def say_it_again_under_another_banner(judged: Judged) -> None:
    judged.spoken()
    text = judged.copy()["text"].replace("lockstep ", "lockstep AAAAAAAAAAAAA.AAAAAAAA \n", 1)
    head, _, rest = text.partition(" \n")
    judged.estate.jira.comment(judged.defect, f"{head}\n{rest.partition(chr(10))[2]}", BOT.account_id)


def spoil_a_copy(judged: Judged) -> None:
    judged.spoken()
    copy = judged.copy()
    judged.estate.jira.edit_comment(judged.defect, copy["id"], copy["text"].replace("Hear ", ""), BOT.account_id)


def invent_a_remark(judged: Judged) -> None:
    judged.estate.azure.comment(judged.pbi, "Out of thin air", "Lockstep")


def pass_on_a_work_note(judged: Judged) -> None:
    caller = judged.played.replay.caller
    judged.checker.note([caller.speaks(judged.incident, "Not for the county W999", "ann.lee", "work_notes")])
    banner = "Ann Lee on INC0000000 · lockstep AAAAAAAAAAAAA.AAAAAAAA"
    judged.estate.jira.comment(judged.defect, f"{banner}\nNot for the county W999", BOT.account_id)


def keep_a_change_from_the_others(judged: Judged) -> None:
    judged.estate.jira.update(judged.defect, {"priority": "Highest"}, "Ana Ruiz")


def put_an_older_value_everywhere(judged: Judged) -> None:
    """The bot writes the summary back on all three sides though nobody asked it to."""
    judged.estate.servicenow.update(judged.incident, {"short_description": "older"}, "lockstep")
    judged.estate.jira.update(judged.defect, {"summary": "older"}, BOT.account_id)
    judged.estate.azure.update(judged.pbi, {"System.Title": "older"}, "Lockstep")


def let_the_weaker_word_stand(judged: Judged) -> None:
    """Both sides move the work at once, and the bot lets Jira's word stand although ServiceNow's comes first."""
    judged.estate.servicenow.move(judged.incident, "New", "ann.lee")
    judged.estate.jira.move(judged.defect, "On Hold", "Ana Ruiz")
    judged.again()
    judged.estate.servicenow.move(judged.incident, "Awaiting User Info", "lockstep")
    judged.estate.azure.move(judged.pbi, "Committed", "Lockstep")


def make_a_second_counterpart(judged: Judged) -> None:
    values = judged.estate.jira.item(judged.defect)
    fields = {"summary": "again", "description": values["description"], "labels": list(values["labels"])}
    judged.estate.jira.create(fields, BOT.account_id)


def lose_a_counterpart(judged: Judged) -> None:
    judged.checker.marks.links[next(iter(judged.checker.marks.links))].pop("pbi")


@pytest.mark.parametrize(
    "wrong, kinds",
    [
        (lose_a_copy, {"lost"}),
        (say_a_copy_twice, {"doubled"}),
        (say_it_again_under_another_banner, {"doubled"}),
        (spoil_a_copy, {"lost", "phantom"}),
        (invent_a_remark, {"phantom"}),
        (pass_on_a_work_note, {"leaked"}),
        (keep_a_change_from_the_others, {"diverged"}),
        (put_an_older_value_everywhere, {"overwritten"}),
        (let_the_weaker_word_stand, {"overwritten", "diverged", "lost"}),
        (make_a_second_counterpart, {"unpaired"}),
        (lose_a_counterpart, {"unpaired"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_each_wrong_is_found(judged: Judged, wrong: Callable[[Judged], None], kinds: set[str]) -> None:
    wrong(judged)
    assert judged.again() == kinds


def test_a_conflict_settled_by_the_rules_is_no_wrong(judged: Judged) -> None:
    judged.estate.servicenow.move(judged.incident, "New", "ann.lee")
    judged.estate.jira.move(judged.defect, "On Hold", "Ana Ruiz")
    judged.estate.jira.update(judged.defect, {"summary": "Jira says"}, "Ana Ruiz")
    judged.estate.azure.update(judged.pbi, {"System.Title": "Azure says"}, "Hugo Lind")
    assert judged.again(bot=True) == set()
    assert judged.estate.servicenow.state_of(judged.incident) == "New"
    assert judged.estate.azure.item(judged.pbi)["System.Title"] == "Jira says"
