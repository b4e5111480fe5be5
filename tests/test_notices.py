"""How people are spared: bounds of the hour, digests, quiet hours and storms, over a real state and a real mail
server. What was committed is never lost and reaches everybody once, however long it waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sync.escalation.outbox as outbox
from connectors.auth import Secret
from mappings.calendar import Calendar
from mappings.people import Party
from mappings.roster import Person, Roster
from sync.config import load
from sync.engine import Engine
from sync.escalation.digest import CARD_LINES, Line, Past, Wanted, digest, share_out, sheaf, waking, zone_at
from sync.escalation.outbox import flush
from sync.plan import About, Notify, Plan
from sync.setup import Mail, Notices, Setup, Webhook
from sync.store import Store
from tests.builders import DAY, HOUR, INSTANCE, MINUTE, NOW, seen, setup
from tests.config_files import ENVIRON, WHOLE, problems_of
from tests.post import PostOffice
from tests.test_crash import Died
from tests.test_escalation import Office as Escalating
from tests.test_notify import Hook, hooked
from tests.test_store import only, opened, whole

ANN, BOB, CY = "ann@example.org", "bob@example.org", "cy@example.org"


class Clock:
    """Stands where it is put."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None: ...


class Office(PostOffice):
    """A state with one link, a mail server that can be closed, and steps that fire when a test says so."""

    def __init__(self, folder: Path, notices: Notices, **said: Any) -> None:
        super().__init__()
        self.clock = Clock(NOW)
        mail = Mail(f"smtp://127.0.0.1:{self.port}", "bot@example.org")
        self.setup = setup(notices=notices, mail=mail, **said)
        self.url = f"sqlite:///{folder}/state.db"
        self.engine = Engine(self.setup, {}, opened(self.url), self.clock)
        whole(self.engine.store)
        self.numbers = count(1)

    def fires(
        self, *to: str, cc: Sequence[str] = (), items: str = "INC1 · D1", kind: str = "email", n: int = 1
    ) -> None:
        """Steps fire that write to these; the messages are committed, not sent."""
        state = only(self.engine.store)
        for number in (next(self.numbers) for _ in range(n)):
            about = About(items, "quiet", number, NOW)
            key, subject = f"fire:{state.key}:quiet:e:{number}:{kind}", f"notice {number}"
            message = Notify(key, kind, to, tuple(cc), subject, f"text {number}", "why", about=about)
            self.engine.store.commit(state, Plan(state.id, state.key, "t", (message,)), seen(), self.clock.at)

    def passes(self, after: timedelta = timedelta(0)) -> list[tuple[list[str], str]]:
        """A pass sends what is due; who got what."""
        self.clock.at += after
        before = len(self.box.raw)
        flush(self.engine, self.clock.at)
        people = [who for _, who in self.box.envelopes[before:]]
        return list(zip(people, (str(mail["Subject"]) for mail in self.mails[before:]), strict=True))

    def dies(self, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
        """The process dies in the pass, at that call, and another begins on its state."""

        def die(*given: object, **named: object) -> None:
            raise Died

        with monkeypatch.context() as patched, pytest.raises(Died):
            patched.setattr(Store, where, die)
            flush(self.engine, self.clock.at)
        self.engine.store.close()
        self.engine = Engine(self.setup, {}, opened(self.url), self.clock)

    def told(self) -> Counter[str]:
        """How often each notice reached each recipient, by itself or in a digest."""
        found: Counter[str] = Counter()
        for (_, who), mail in zip(self.box.envelopes, self.mails, strict=True):
            texts = f"{mail['Subject']}\n{mail.get_content()}"
            for number in range(1, next(self.numbers)):
                said = f"notice {number}\n" in texts or f"notice {number} (" in texts
                found.update(f"{one} {number}" for one in who if said)
        return found


@pytest.fixture
def office(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Office]:
    made = Office(tmp_path, request.param if hasattr(request, "param") else Notices(per_hour=2))
    yield made
    made.close()
    made.engine.store.close()


def spared(**said: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("office", [Notices(**said)], indirect=True, ids=[""])


# ── the bound of the hour ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_goes_beyond_the_bound_of_the_hour_goes_out_together_and_nothing_is_lost(office: Office) -> None:
    office.fires(ANN, n=5)
    assert office.passes() == [([ANN], "notice 1"), ([ANN], "notice 2")]
    assert office.passes(59 * MINUTE) == []
    assert office.passes(MINUTE) == [([ANN], f"Lockstep {INSTANCE}: 3 notices on 1 item")]
    assert office.told() == Counter(f"{ANN} {n}" for n in range(1, 6))
    assert office.engine.store.unsent() == []
    assert office.passes(DAY) == []


def test_a_notice_to_three_people_where_one_is_capped_goes_to_the_two_at_once(office: Office) -> None:
    office.fires(ANN, n=2)
    office.passes()
    office.fires(ANN, BOB, cc=(CY,))
    assert office.passes(MINUTE) == [([BOB, CY], "notice 3")]
    assert (office.mails[-1]["To"], office.mails[-1]["Cc"]) == (BOB, CY)
    assert office.passes(HOUR) == [([ANN], "notice 3")]
    assert office.mails[-1]["Message-ID"] == office.mails[-2]["Message-ID"]


def test_who_is_only_in_copy_gets_it_though_the_addressee_must_wait(office: Office) -> None:
    office.fires(ANN, n=2)
    office.passes()
    office.fires(ANN, cc=(CY,))
    assert office.passes() == [([CY], "notice 3")]


def test_while_a_digest_is_gathered_everything_new_joins_it(office: Office) -> None:
    office.fires(ANN, n=3)
    assert len(office.passes()) == 2
    office.fires(ANN, items="INC2 · D2")
    assert office.passes(30 * MINUTE) == []
    ((who, subject),) = office.passes(30 * MINUTE)
    assert (who, subject) == ([ANN], f"Lockstep {INSTANCE}: 2 notices on 2 items")


def test_a_digest_names_each_item_once_with_rule_step_since_and_the_admins_subject(office: Office) -> None:
    office.fires(ANN, n=3)
    office.fires(ANN, items="INC2 · D2")
    office.fires(ANN)
    office.passes()
    office.passes(HOUR)
    lines = office.mails[-1].get_content().splitlines()
    assert lines == [
        "INC1 · D1",
        "  notice 3 (rule quiet, step 3, since 2026-11-16 18:00 UTC)",
        "  notice 5 (rule quiet, step 5, since 2026-11-16 18:00 UTC)",
        "",
        "INC2 · D2",
        "  notice 4 (rule quiet, step 4, since 2026-11-16 18:00 UTC)",
    ]


def test_one_notice_that_waited_alone_comes_as_itself(office: Office) -> None:
    office.fires(ANN, n=3)
    office.passes()
    assert office.passes(HOUR) == [([ANN], "notice 3")]
    assert office.mails[-1].get_content().strip() == "text 3"


@spared()
def test_without_bounds_everything_goes_out_at_once_to_everybody(office: Office) -> None:
    office.fires(ANN, BOB, n=9)
    assert office.passes() == [([ANN, BOB], f"notice {n}") for n in range(1, 10)]


def test_two_spellings_of_an_address_are_one_recipient(office: Office) -> None:
    office.fires(ANN, "Ann@Example.org", cc=(ANN,), n=2)
    office.fires("ANN@example.org")
    assert [who for who, _ in office.passes()] == [[ANN], [ANN]]


def test_what_lockstep_says_of_itself_is_never_held_back(office: Office) -> None:
    office.fires(ANN, n=3)
    office.passes()
    for number in range(3):
        office.engine.store.tell(f"guard:{number}", "email", [ANN], f"stopped {number}", "why", office.clock.at)
    assert [subject for _, subject in office.passes()] == ["stopped 0", "stopped 1", "stopped 2"]


# ── storms ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@spared(storm=10)
def test_a_storm_is_one_digest_for_each_recipient(office: Office) -> None:
    for number in range(11):
        office.fires(ANN, *([BOB] if number % 2 else []), items=f"INC{number}")
    subject = f"Lockstep {INSTANCE}: {{}} notices on {{}} items"
    assert sorted(office.passes()) == [([ANN], subject.format(11, 11)), ([BOB], subject.format(5, 5))]
    assert office.told() == Counter([f"{ANN} {n}" for n in range(1, 12)] + [f"{BOB} {n}" for n in range(2, 12, 2)])


@spared(storm=10)
def test_as_many_as_the_bound_are_no_storm_and_two_messages_of_one_firing_are_one(office: Office) -> None:
    office.fires(ANN, n=10)
    assert len(office.passes()) == 10


def test_an_outage_is_not_followed_by_a_flood(office: Office) -> None:
    office.close()
    for _ in range(8):
        office.fires(ANN)
        assert office.passes(30 * MINUTE) == []
    assert len(office.engine.store.unsent()) > 0
    office.open()
    got = office.passes(HOUR)
    assert len(got) <= 2
    for _ in range(4):
        office.passes(HOUR)
    assert office.told() == Counter(f"{ANN} {n}" for n in range(1, 9))
    assert len(office.box.raw) <= 4
    assert office.engine.store.unsent() == []


def test_a_server_that_is_down_is_asked_once_a_pass_and_not_once_a_message(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    send = outbox.send

    def counting(engine: Engine, message: Any) -> None:
        asked.append(message.key)
        send(engine, message)

    monkeypatch.setattr(outbox, "send", counting)
    office.close()
    office.fires(BOB)
    office.fires(ANN, n=2)
    office.passes()
    assert len(asked) == 1
    office.open()
    assert len(office.passes(MINUTE)) == 3


# ── quiet hours ──────────────────────────────────────────────────────────────────────────────────────────────────────


@spared(quiet_from=20 * 60, quiet_to=7 * 60)
def test_what_falls_into_quiet_hours_goes_out_together_when_they_end(office: Office) -> None:
    office.clock.at = NOW.replace(hour=20)
    office.fires(ANN, n=2)
    assert office.passes() == []
    office.fires(ANN)
    assert office.passes(10 * HOUR + 59 * MINUTE) == []
    ((_, subject),) = office.passes(MINUTE)
    assert office.clock.at == NOW.replace(day=17, hour=7)
    assert subject == f"Lockstep {INSTANCE}: 3 notices on 1 item"
    office.fires(ANN)
    assert office.passes() == [([ANN], "notice 4")]


def test_quiet_hours_are_those_of_the_recipients_party(tmp_path: Path) -> None:
    west, east = (Calendar.of(zone=zone) for zone in ("America/Los_Angeles", "Asia/Kolkata"))
    parties = (Party("desk", email=(ANN,), calendar=west), Party("vendor", calendar=east))
    roster = Roster((Person("Bob", BOB.upper(), "vendor"),))
    night = Notices(quiet_from=20 * 60, quiet_to=7 * 60)
    office = Office(tmp_path, night, parties=parties, roster=roster, zone="Europe/London")
    here = office.setup
    assert [zone_at(here, "email", who) for who in (ANN, BOB, CY)] == [west.zone, east.zone, "Europe/London"]
    office.fires(ANN, BOB, CY)
    assert office.passes() == [([ANN, CY], "notice 1")], "10:00, 18:00 and 23:30"
    assert office.passes(7 * HOUR + 30 * MINUTE) == [([BOB], "notice 1")]
    office.close()
    office.engine.store.close()


@pytest.mark.parametrize(
    "at, wakes",
    [
        ("2026-03-08T06:30", "2026-03-08T14:00"),  # 22:30 before the clock is put forward: 07:00 is an hour earlier
        ("2026-11-01T05:30", "2026-11-01T15:00"),  # 22:30 before it is put back
        ("2026-11-16T14:59", "2026-11-16T15:00"),
        ("2026-11-16T15:00", "2026-11-16T15:00"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(at: str, wakes: str) -> None:
    night = Notices(quiet_from=20 * 60, quiet_to=7 * 60)
    moment, end = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (at, wakes))
    assert waking(night, "America/Los_Angeles", moment) == end


# ── crashes, refusals ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("where", ["share", "parcels", "delivered"])
def test_a_process_that_dies_loses_nothing_and_what_comes_again_is_recognised(
    office: Office, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    office.fires(ANN, BOB)
    office.dies(monkeypatch, where)
    office.passes()
    ids = {mail["Message-ID"] for mail in office.mails}
    assert len(ids) == 1 and len(office.mails) == (2 if where == "delivered" else 1)


def test_a_digest_that_was_sent_when_the_process_died_comes_again_as_the_same_whatever_was_new(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.fires(ANN, n=5)
    office.passes()
    office.clock.at += HOUR
    office.dies(monkeypatch, "delivered")
    office.fires(ANN)
    office.passes(MINUTE)
    first, again, *_ = office.mails[2:]
    assert (first["Message-ID"], first.get_content()) == (again["Message-ID"], again.get_content())
    office.passes(2 * HOUR)
    assert office.told()[f"{ANN} 6"] == 1


def falls_silent(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail server takes a mail, and its answer is lost."""
    take = office.box.handle_DATA

    async def taken(server: Any, session: Any, envelope: Any) -> str:
        answer = await take(server, session, envelope)
        server.transport.abort()
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(office.box, "handle_DATA", taken)
        office.close()
        office.open()
        office.passes()
    assert len(office.mails) == 1 and office.engine.store.unsent()


@spared(quiet_from=20 * 60, quiet_to=7 * 60)
@pytest.mark.parametrize("dies", [False, True], ids=["its answer is lost", "the process dies"])
def test_what_may_have_been_taken_comes_again_as_it_was_or_not_at_all(
    office: Office, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    """A server that is down for a while and the quiet hours that begin then put no such notice into a digest."""
    office.clock.at = datetime(2026, 11, 17, 19, 58, tzinfo=UTC)
    office.fires(ANN)
    if dies:
        office.dies(monkeypatch, "delivered")
    else:
        falls_silent(office, monkeypatch)
    office.close()
    assert office.passes(MINUTE) == []
    office.open()
    office.fires(ANN, n=2)
    for _ in range(30):
        office.passes(HOUR)
    ids = {mail["Message-ID"] for mail in office.mails if "notice 1" in f"{mail['Subject']} {mail.get_content()}"}
    assert len(ids) == 1
    assert {office.told()[f"{ANN} {n}"] for n in (2, 3)} == {1}
    assert office.engine.store.unsent() == []


@spared(quiet_from=20 * 60, quiet_to=7 * 60)
def test_what_nobody_sent_when_quiet_hours_ended_waits_through_the_next(office: Office) -> None:
    """Lockstep stood still all day."""
    office.clock.at = datetime(2026, 11, 17, 21, tzinfo=UTC)
    office.fires(ANN)
    assert office.passes() == []
    assert office.passes(DAY) == []
    assert office.passes(10 * HOUR) == [([ANN], "notice 1")]


def test_a_recipient_whom_the_server_puts_off_gets_it_later_and_the_others_once(office: Office) -> None:
    office.box.replies[BOB] = "450 greylisted, come again"
    office.fires(ANN, BOB)
    assert [who for who, _ in office.passes()] == [[ANN]]
    del office.box.replies[BOB]
    assert [who for who, _ in office.passes(2 * MINUTE)] == [[BOB]]
    assert office.passes(HOUR) == [] and office.engine.store.unsent() == []


def test_a_recipient_that_the_server_refuses_is_told_and_the_others_have_it(office: Office) -> None:
    office.box.replies[BOB] = "550 no such user"
    office.fires(ANN, BOB)
    assert [who for who, _ in office.passes()] == [[ANN]]
    ((_, _, error),) = office.engine.store.unsent()
    assert "no such user" in error
    ((_, _, who, _),) = office.engine.store.refusals(NOW)
    assert who == BOB
    assert office.passes(DAY) == []


def test_a_channel_is_spared_like_a_person_and_a_program_is_not(tmp_path: Path) -> None:
    hook = Hook()
    with hooked(hook) as url:
        office = Office(tmp_path, Notices(per_hour=1), teams={"triage": Webhook(Secret(url))})
        office.fires("triage", kind="teams", n=4)
        office.passes()
        assert len(hook.posted) == 1
        office.passes(HOUR)
        texts = [str(body) for _, _, body in hook.posted]
        assert len(texts) == 2 and all(f"notice {n}" in texts[1] for n in (2, 3, 4))
        office.close()
        office.engine.store.close()
    ours = [Wanted(f"fire:l:r:e:{n}:webhook", "webhook", "audit") for n in range(5)]
    shared = share_out(office.setup, ours, {}, NOW)
    assert [one.due for one in shared] == [NOW] * 5


def test_a_digest_that_is_too_long_for_a_card_becomes_several() -> None:
    lines = [Line(f"INC{n} · D{n}", f"notice {n}", "quiet", 1, NOW) for n in range(60)]
    pages = digest(INSTANCE, lines, "UTC", card=True)
    assert len(pages) > 1 and pages[0][0].endswith(f"(1 of {len(pages)})")
    assert all(len([line for line in text.splitlines() if line]) <= CARD_LINES for _, text in pages)
    assert sum(text.count("notice") for _, text in pages) == 60
    assert len(digest(INSTANCE, lines, "UTC")) == 1


class Morning(Escalating):
    """Ladders over the whole estate, in an office that reads no notices before noon."""

    def file(self, text: str) -> str:
        return super().file(text) + '\n[notices]\nquiet = "06:00-12:00"\n'


def test_a_ladder_of_the_whole_estate_reaches_people_when_their_quiet_hours_end(tmp_path: Path) -> None:
    office = Morning(tmp_path)
    office.at(1)
    office.at(2)
    assert office.came() == (1, [], 0, "0")
    assert ("quiet-defect", 2, "fired") in office.firings()
    assert office.world.engine.store.unsent() == []
    office.at(2, 3.75)
    assert office.subjects == []
    office.at(2, 4.0)
    assert office.subjects == ["quiet"]
    assert office.box.envelopes[0][1] == ["dev@example.org", "lead@example.org"]
    office.close()
    office.world.close()


# ── the pure core, at random ─────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=40),
    st.integers(1, 3),
    st.sampled_from([10, 60, 240]),
    st.sampled_from([(0, 0), (20 * 60, 7 * 60), (12 * 60, 13 * 60)]),
)
def test_never_more_than_the_bound_in_any_hour_never_in_quiet_hours_and_never_lost(
    gaps: list[int], per_hour: int, gathers: int, quiet: tuple[int, int]
) -> None:
    notices = Notices(per_hour, gathers * MINUTE, *quiet)
    sent: dict[str, datetime] = {}
    goes: dict[str, str] = {}
    open_sheaf: tuple[str, datetime] | None = None
    now = NOW
    for number, gap in enumerate(gaps):
        now += gap * MINUTE
        if open_sheaf and open_sheaf[1] <= now:
            open_sheaf = None
        known = tuple(sorted(at for at in sent.values() if now - HOUR < at <= now))
        past = Past(known, *(open_sheaf or ("", None)))
        (one,) = sheaf(notices, "UTC", [Wanted(f"k{number}", "email", ANN)], past, now)
        sent[one.sheaf], goes[one.wanted.key] = one.due, one.sheaf
        if one.due > now:
            open_sheaf = (one.sheaf, one.due)
    moments = sorted(sent.values())
    for first in moments:
        assert sum(first <= at < first + HOUR for at in moments) <= per_hour
        assert waking(notices, "UTC", first) == first
    assert len(goes) == len(gaps)


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_notices(folder: Path, lines: str) -> Setup:
    file = folder / "lockstep.toml"
    file.write_text(WHOLE + f"\n[notices]\n{lines}\n")
    return load(file, {**ENVIRON, "HEARTBEAT_URL": "https://watch.example.org/4f9a?x=1"})


def test_the_file_says_how_people_are_spared(tmp_path: Path) -> None:
    found = with_notices(
        tmp_path,
        'per_hour = 4\ndigest = "30m"\nquiet = "20:00-07:00"\nstorm = 9\nsilent = "15m"\n'
        'tell = { email = ["desk"], teams = "triage" }\nbeat = { env = "HEARTBEAT_URL" }',
    ).notices
    beat = found.beat
    assert beat is not None and beat.reveal().startswith("https://watch")
    expected = Notices(4, 30 * MINUTE, 1200, 420, 9, 15 * MINUTE, ("desk@example.org",), "triage", beat)
    assert found == expected
    assert with_notices(tmp_path, "").notices == Notices() == setup().notices


@pytest.mark.parametrize(
    "line, key, what, instead",
    [
        ("per_hour = -1", "per_hour", "", ""),
        ('digest = "2d"', "digest", "longer than a day", '"24h"'),
        ('quiet = "night"', "quiet", "are no hours", "20:00-07:00"),
        ('quiet = "00:00-24:00"', "quiet", "never end", "20:00-07:00"),
        ('silent = "10s"', "silent", "every 30 seconds", "15m"),
        ('tell = { email = ["nobody"] }', "tell", "nobody", ""),
        ('tell = { teams = "triag" }', "tell", "triag", "triage"),
        ('beat = { env = "ODD_URL" }', "beat", "not a web address", "https://"),
        ('beat = "https://watch.example.org"', "beat", "secret", "env"),
        ("perhour = 2", "perhour", "", "per_hour"),
    ],
)
def test_what_is_wrong_in_it_is_told_with_its_line(
    tmp_path: Path, line: str, key: str, what: str, instead: str
) -> None:
    text = WHOLE + f"\n[notices]\n{line}\n"
    (problem,) = problems_of(tmp_path, text)
    assert problem.line == len(text.splitlines())
    assert key in problem.key and what in problem.what and instead in problem.instead, problem


def test_notices_need_no_approval() -> None:
    from sync.edits.edit import waits

    assert not waits(("notices", "per_hour"), {}, (), {})
    assert replace(Notices(), per_hour=3) != Notices()
