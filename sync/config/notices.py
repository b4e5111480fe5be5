"""How people are spared, and who hears that Lockstep is silent: checked and resolved."""

from __future__ import annotations

from datetime import timedelta

from mappings.calendar import parse_hours
from sync.config.desk import Desk, halves
from sync.config.tables.notices import NoticesTable
from sync.config.talk import addresses, is_address
from sync.setup import Notices

DAY = timedelta(days=1)


def notices(desk: Desk) -> Notices:
    """The bounds on what reaches a recipient, and the watch over the passes."""
    said = desk.file.notices or NoticesTable()
    at = ("notices", "tell")
    if said.tell.email and "mail" not in desk.report.raw:
        desk.report.wrong((*at, "email"), "there is no mail server", "write [mail] with server and sender")
    if said.tell.teams:
        desk.known("teams", said.tell.teams, (*at, "teams"))
    if said.digest > DAY:
        desk.report.wrong(("notices", "digest"), "people would wait longer than a day", 'write "24h" at most')
    if said.silent is not None and said.silent <= desk.file.bot.poll:
        what = f"a pass begins every {seconds(desk.file.bot.poll)}, so that every pause between two would be told"
        desk.report.wrong(("notices", "silent"), what, 'write several times bot.poll, such as "15m"')
    begins, ends = quiet_hours(desk, said.quiet)
    beat = desk.secret(said.beat, ("notices", "beat")) if said.beat else None
    if beat is not None and beat.reveal() and not is_address(beat.reveal()):
        what = "what is kept there is not a web address"
        desk.report.wrong(("notices", "beat"), what, "keep the whole https://... address to call there")
    return Notices(
        per_hour=said.per_hour,
        digest=said.digest,
        quiet_from=begins,
        quiet_to=ends,
        storm=said.storm,
        silent=said.silent,
        tell=addresses(desk, (*at, "email"), said.tell.email),
        teams=said.tell.teams,
        beat=beat,
    )


def quiet_hours(desk: Desk, text: str) -> tuple[int, int]:
    """From and to in minutes of the day; both 0 where there are none."""
    if not text:
        return 0, 0
    try:
        begins, ends = parse_hours(text)
    except ValueError as failure:
        what, instead = halves(failure)
        desk.report.wrong(("notices", "quiet"), what, instead.replace("08:00-17:00", "20:00-07:00"))
        return 0, 0
    if begins == ends:
        what = "these quiet hours never end, and nobody would ever be written to"
        desk.report.wrong(("notices", "quiet"), what, 'write quiet = "20:00-07:00"')
    return begins.hour * 60 + begins.minute, ends.hour * 60 + ends.minute


def seconds(span: timedelta) -> str:
    return f"{span.total_seconds():g} seconds"
