"""Business time, against examples and against a reference that looks at every minute on its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from itertools import pairwise
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mappings.calendar import Calendar, Span, parse_days, parse_hours, parse_span

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
OFFICE = Calendar.of(zone="America/Los_Angeles", holidays="US-CA")
NIGHT = Calendar.of(zone="America/Los_Angeles", days="Mon-Sun", hours="22:00-06:00")


def la(text: str) -> datetime:
    """An instant, written as people in Los Angeles read it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Los_Angeles")).astimezone(UTC)


def due(calendar: Calendar, start: str, span: str) -> str:
    there = calendar.add(la(start), parse_span(span)).astimezone(ZoneInfo("America/Los_Angeles"))
    return f"{there:%Y-%m-%d %H:%M}"


# ── Examples ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "start, span, expected",
    [
        ("2026-11-16 10:00", "1d", "2026-11-17 10:00"),
        ("2026-11-16 10:00", "9h", "2026-11-17 10:00"),
        ("2026-11-16 08:00", "1d", "2026-11-16 17:00"),  # a due instant at closing stays there
        ("2026-11-16 08:00", "9h", "2026-11-16 17:00"),
        ("2026-11-16 17:00", "1d", "2026-11-17 17:00"),  # closing is outside hours: it counts from the next opening
        ("2026-11-16 06:00", "4h", "2026-11-16 12:00"),
        ("2026-11-13 18:00", "90m", "2026-11-16 09:30"),  # over a weekend
        ("2026-11-13 16:00", "1d 4h", "2026-11-17 11:00"),
        ("2026-11-25 16:00", "2h", "2026-11-30 09:00"),  # Thanksgiving and the day after
        ("2026-07-02 10:00", "1d", "2026-07-06 10:00"),  # the Fourth is a Saturday, observed on Friday
        ("2021-12-30 10:00", "1d", "2022-01-03 10:00"),  # New Year's Day of 2022 is observed in 2021
        ("2024-02-28 12:00", "2d", "2024-03-01 12:00"),  # a leap day
        ("2026-03-06 16:00", "2h", "2026-03-09 09:00"),  # the clocks are put forward on that weekend
        ("2026-10-30 16:00", "2h", "2026-11-02 09:00"),  # and back on this one
        ("2026-11-14 12:00", "0h", "2026-11-16 08:00"),
        ("2026-11-16 17:00", "0h", "2026-11-16 17:00"),
    ],
)
def test_office_hours(start: str, span: str, expected: str) -> None:
    assert due(OFFICE, start, span) == expected


@pytest.mark.parametrize(
    "start, span, expected",
    [
        ("2026-11-16 23:00", "1d", "2026-11-17 23:00"),
        ("2026-11-16 22:00", "1d", "2026-11-17 06:00"),
        ("2026-11-16 05:00", "2h", "2026-11-16 23:00"),
        ("2026-03-07 22:00", "1d", "2026-03-08 06:00"),  # seven hours long, and still one opening
        ("2026-03-07 22:00", "7h", "2026-03-08 06:00"),
        ("2026-10-31 22:00", "1d", "2026-11-01 06:00"),  # nine
        ("2026-10-31 22:00", "8h", "2026-11-01 05:00"),
    ],
)
def test_night_shift(start: str, span: str, expected: str) -> None:
    assert due(NIGHT, start, span) == expected


def test_without_a_calendar_a_day_is_24_hours_whatever_the_clocks_do() -> None:
    always = Calendar.always("America/Los_Angeles")
    assert due(always, "2026-03-07 10:00", "1d") == "2026-03-08 11:00"
    assert always.elapsed(la("2026-03-07 10:00"), la("2026-03-08 11:00")) == timedelta(hours=24)
    assert Calendar.of(zone="America/Los_Angeles", days="Mon-Sun", hours="00:00-24:00") == always


def test_hours_that_begin_in_an_hour_the_clocks_skip_begin_at_the_jump() -> None:
    calendar = Calendar.of(zone="America/Los_Angeles", days="Mon-Sun", hours="02:30-10:00")
    assert due(calendar, "2026-03-08 00:00", "0h") == "2026-03-08 03:00"
    assert calendar.elapsed(la("2026-03-08 00:00"), la("2026-03-08 12:00")) == timedelta(hours=7)


def test_hours_that_begin_in_an_hour_lived_twice_begin_the_first_time() -> None:
    calendar = Calendar.of(zone="America/Los_Angeles", days="Mon-Sun", hours="01:30-10:00")
    assert calendar.elapsed(la("2026-11-01 00:00"), la("2026-11-01 12:00")) == timedelta(hours=9, minutes=30)


def test_a_day_from_late_in_a_long_opening_ends_with_the_shorter_one() -> None:
    calendar = Calendar.of(zone="America/Los_Angeles", days="Mon-Sun", hours="22:00-06:00")
    assert due(calendar, "2026-03-07 05:30", "1d") == "2026-03-08 06:00"


def test_hours_that_meet_leave_neither_gap_nor_overlap_where_the_clocks_change() -> None:
    early = Calendar.of(zone="America/Los_Angeles", days="Mon-Sun", hours="22:00-02:30")
    late = Calendar.of(zone="America/Los_Angeles", days="Mon-Sun", hours="02:30-22:00")
    for a, b in (("2026-03-07 12:00", "2026-03-09 12:00"), ("2026-10-31 12:00", "2026-11-02 12:00")):
        assert early.elapsed(la(a), la(b)) + late.elapsed(la(a), la(b)) == la(b) - la(a)


def test_single_dates_are_holidays_too() -> None:
    calendar = Calendar.of(zone="America/Los_Angeles", holidays="US, 2026-12-24")
    assert due(calendar, "2026-12-23 16:00", "2h") == "2026-12-28 09:00"


def test_a_day_that_a_zone_skipped_has_no_opening() -> None:
    samoa = Calendar.of(zone="Pacific/Apia", days="Mon-Sun", hours="08:00-17:00")
    before = datetime(2011, 12, 30, 2, tzinfo=UTC)  # Thursday the 29th, 16:00 there; Friday never came
    after = samoa.add(before, Span(seconds=2 * 3600)).astimezone(ZoneInfo("Pacific/Apia"))
    assert after.replace(tzinfo=None) == datetime(2011, 12, 31, 9)


def test_open_and_closed() -> None:
    assert OFFICE.is_open(la("2026-11-16 08:00"))
    assert not OFFICE.is_open(la("2026-11-16 17:00"))
    assert not OFFICE.is_open(la("2026-11-26 12:00"))
    assert NIGHT.is_open(la("2026-11-16 01:00"))
    assert Calendar.always("UTC").is_open(la("2026-11-16 00:00"))


def test_ten_years_are_counted_in_a_blink() -> None:
    OFFICE.elapsed(la("2020-01-01 00:00"), la("2030-01-01 00:00"))  # the holidays are looked up once
    begun = perf_counter()
    assert OFFICE.elapsed(la("2020-01-01 00:00"), la("2030-01-01 00:00")) > timedelta(hours=20000)
    assert perf_counter() - begun < 2


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="names no time zone"):
        OFFICE.add(datetime(2026, 11, 16), Span(1))


# ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text, span, words",
    [
        ("2d", Span(2), "2 business days"),
        ("1d", Span(1), "1 business day"),
        ("90m", Span(0, 5400), "1 hour and 30 minutes"),
        ("4h", Span(0, 14400), "4 hours"),
        (" 1d 4h ", Span(1, 14400), "1 business day and 4 hours"),
        ("1d4h30m", Span(1, 16200), "1 business day, 4 hours and 30 minutes"),
        ("0h", Span(), "no time"),
    ],
)
def test_spans(text: str, span: Span, words: str) -> None:
    assert parse_span(text) == span
    assert str(span) == words


@pytest.mark.parametrize("text", ["", " ", "1w", "2", "d", "1.5h", "-1d", "4h 1d", "1d 1d", "9999999d", "٢d", "1d,4h"])
def test_what_is_no_span_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"no span|too long"):
        parse_span(text)


def test_days_and_hours() -> None:
    assert parse_days("Mon-Fri") == frozenset(range(5))
    assert parse_days("mon, Wed") == frozenset({0, 2})
    assert parse_days("Sun-Thu") == frozenset({6, 0, 1, 2, 3})
    assert parse_hours("8:00 - 17:30") == (time(8), time(17, 30))
    assert parse_hours("18:00-24:00") == (time(18), time(0))


@pytest.mark.parametrize("text", ["", "Monday", "Mon-", "Mon-Fri,", "1-5"])
def test_wrong_days_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no days"):
        parse_days(text)


@pytest.mark.parametrize(
    "text", ["", "8-17", "08:00-25:00", "24:00-08:00", "08:60-17:00", "08:00-08:00", "08:00-24:01"]
)
def test_wrong_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no hours"):
        parse_hours(text)


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({"zone": "Mars/Olympus"}, "no time zone"),
        ({"zone": "../etc"}, "no time zone"),
        ({"zone": ""}, "no time zone"),
        ({"holidays": "US-ZZ"}, "no holidays are known"),
        ({"holidays": "XX"}, "no holidays are known"),
        ({"holidays": "US, DE"}, "several regions"),
        ({"holidays": "2026-13-01"}, "no date"),
    ],
)
def test_a_wrong_calendar_is_refused_by_name(wrong: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Calendar.of(**{"zone": "UTC", **wrong})


# ── The reference ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Minutes:
    """Every minute of a window and the date of the opening that it belongs to, if any. The latest time that the clock
    on the wall has shown decides, so an hour that is lived twice opens and closes nothing twice."""

    first: datetime
    openings: tuple[date | None, ...]

    @classmethod
    def of(cls, calendar: Calendar, first: datetime, count: int) -> Minutes:
        zone, shown, openings = ZoneInfo(calendar.zone), datetime.min, []
        opening = cache(partial(opening_of, calendar))
        for number in range(-1440, count):
            shown = max(shown, (first + number * MINUTE).astimezone(zone).replace(tzinfo=None))
            days = (shown.date(), shown.date() - DAY)
            openings.append(next((day for day in days if opening(day)[0] <= shown < opening(day)[1]), None))
        return cls(first, tuple(openings[1440:]))

    def at(self, number: int) -> datetime:
        return self.first + number * MINUTE

    def add(self, start: int, days: int, minutes: int) -> datetime:
        """Ends in IndexError where the window is too short."""
        if days:
            start = self.add_openings(start, days)
        while self.openings[start] is None and not (minutes == 0 and start and self.openings[start - 1]):
            start += 1
        while minutes:
            minutes -= self.openings[start] is not None
            start += 1
        return self.at(start)

    def add_openings(self, start: int, days: int) -> int:
        while self.openings[start] is None:
            start += 1
        begin = self.begin(start)
        into, end = start - begin, begin
        for _ in range(days - (into == 0)):
            begin = self.following(begin)
        end = self.end(begin)
        return min(begin + into, end) if into else end

    def begin(self, start: int) -> int:
        while self.openings[start - 1] == self.openings[start]:
            start -= 1
        return start

    def end(self, start: int) -> int:
        day = self.openings[start]
        while self.openings[start] == day:
            start += 1
        return start

    def following(self, start: int) -> int:
        start = self.end(start)
        while self.openings[start] is None:
            start += 1
        return start


def opening_of(calendar: Calendar, day: date) -> tuple[datetime, datetime]:
    """From when to when the clock on the wall shows the opening of a day; an empty span where there is none."""
    begin = datetime.combine(day, calendar.opens)
    if day.weekday() not in calendar.days or calendar.is_holiday(day):
        return begin, begin
    return begin, datetime.combine(day if calendar.closes > calendar.opens else day + DAY, calendar.closes)


# A day on which each zone's clocks change (at two, at three, by half an hour, at midnight, by a whole day), and days of
# other interest: a leap day, a turn of the year.
TURNS = (
    ("America/Los_Angeles", date(2026, 3, 8)),
    ("America/Los_Angeles", date(2026, 11, 1)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 29)),
    ("America/Santiago", date(2026, 4, 4)),
    ("America/Santiago", date(2026, 9, 6)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Kathmandu", date(2024, 2, 29)),
    ("UTC", date(2022, 1, 1)),
)
# Hours that begin and end where clocks change are drawn more often than others.
times = st.one_of(
    st.builds(time, st.integers(0, 3), st.sampled_from([0, 15, 30, 45])),
    st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45])),
)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    """A calendar, and an instant two days before something happens to its clocks."""
    zone, turn = draw(st.sampled_from(TURNS))
    holidays = draw(st.sets(st.integers(-3, 4), max_size=2))
    calendar = Calendar(
        zone=zone,
        days=draw(st.one_of(st.just(frozenset(range(7))), st.frozensets(st.integers(0, 6), min_size=3))),
        opens=draw(times),
        closes=draw(times),
        holidays=frozenset(turn + timedelta(days=number) for number in holidays),
        region=draw(st.sampled_from(["", "US-CA"])),
    )
    assume(not calendar.never_closes)
    return calendar, datetime.combine(turn - timedelta(days=2), time(0), UTC)


def test_a_due_instant_at_the_closing_before_a_skipped_day_stays_there() -> None:
    """Samoa went from the 29th of December 2011 to the 31st."""
    calendar = Calendar.of(zone="Pacific/Apia", days="Mon-Sun", hours="00:15-24:00")
    assert calendar.add(datetime(2011, 12, 28, 10, 15, tzinfo=UTC), Span(2, 0)) == datetime(
        2011, 12, 30, 10, tzinfo=UTC
    )


@settings(max_examples=50, deadline=None)
@given(scenes(), st.integers(0, 5760), st.integers(0, 2), st.integers(0, 900))
def test_adding_agrees_with_looking_at_every_minute(
    scene: tuple[Calendar, datetime], start: int, days: int, minutes: int
) -> None:
    calendar, first = scene
    # Starts a day later, so that the beginning of the first opening is in sight.
    reference = Minutes.of(calendar, first - timedelta(days=1), 10 * 1440)
    start += 1440
    try:
        expected = reference.add(start, days, minutes)
    except IndexError:
        assume(False)
    assert calendar.add(reference.at(start), Span(days, minutes * 60)) == expected


@settings(max_examples=50, deadline=None)
@given(scenes(), st.integers(0, 5760), st.integers(0, 5760))
def test_elapsed_agrees_with_counting_every_minute(scene: tuple[Calendar, datetime], a: int, b: int) -> None:
    calendar, first = scene
    reference = Minutes.of(calendar, first, 5760)
    expected = sum(day is not None for day in reference.openings[a:b]) * MINUTE
    assert calendar.elapsed(reference.at(a), reference.at(b)) == expected


@settings(max_examples=300, deadline=None)
@given(scenes(), st.lists(st.integers(0, 400_000), min_size=2, max_size=6), st.integers(0, 5))
def test_a_later_start_is_never_due_earlier(scene: tuple[Calendar, datetime], seconds: list[int], days: int) -> None:
    calendar, first = scene
    dues = [calendar.add(first + timedelta(seconds=s), Span(days, 3600)) for s in sorted(seconds)]
    assert all(earlier <= later for earlier, later in pairwise(dues))


@settings(max_examples=300, deadline=None)
@given(scenes(), st.integers(0, 400_000), st.integers(0, 400_000))
def test_time_added_is_time_elapsed(scene: tuple[Calendar, datetime], start: int, seconds: int) -> None:
    calendar, first = scene
    begun = first + timedelta(seconds=start)
    ended = calendar.add(begun, Span(0, seconds))
    assert calendar.elapsed(begun, ended) == timedelta(seconds=seconds)
    assert ended.tzinfo is UTC


@settings(deadline=None)
@given(scenes(), st.integers(0, 400_000))
def test_an_opening_is_open_and_its_closing_is_not(scene: tuple[Calendar, datetime], seconds: int) -> None:
    calendar, first = scene
    at = first + timedelta(seconds=seconds)
    assert calendar.is_open(at) == (calendar.elapsed(at, at + timedelta(seconds=1)) > timedelta(0))
