"""Lockstep's command line and composition, nothing else."""

from __future__ import annotations

import errno
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from sync.commands.ending import CODES, GUARD, HELD, QUIET, USAGE, fail, program

LEVELS = ("debug", "info", "warning", "error", "critical")
#: what a plan file may hold
KINDS = ("adopt", "open", "follow", "join", "align", "edit")
#: how long a command waits for a daemon that carries a plan out, in seconds
APPLYING = 1800

DAY = click.DateTime(["%Y-%m-%d"])

config_option = click.option(
    "-c",
    "--config",
    "path",
    default="lockstep.toml",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The admin's file.",
)


@click.group(epilog=CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--log", type=click.Choice(LEVELS), default=None, help="What is logged.")
@click.version_option("0.1.0", prog_name="lockstep")
@click.pass_context
def main(context: click.Context, log: str | None) -> None:
    """Lockstep keeps ServiceNow incidents and problems, Jira defects and Azure DevOps work items linked and in step,
    and escalates work that stalls."""
    context.obj = log


@main.command()
@config_option
def check(path: Path) -> None:
    """Tells every problem of the file at once. Each comes with its line and what to write instead. Needs no network."""
    from sync.commands.engines import checked

    click.echo(checked(path))


@main.command()
@click.option("--out", type=click.Path(path_type=Path), help="The file: lockstep.toml, or that of the playbook's name.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--playbook", default="", metavar="NAME", help="Begin with a shipped process and its roster instead.")
@click.option("--tracker", "trackers", nargs=3, multiple=True, metavar="NAME KIND URL", help="A tracker to talk to.")
@click.option(
    "--auth", multiple=True, metavar="TRACKER.KEY=VALUE", help="What signs in; a secret as env:NAME or file:/path."
)
@click.option("--reach", multiple=True, metavar="TRACKER.ca=FILE", help="Or TRACKER.proxy=ADDRESS, or =env:NAME.")
@click.option(
    "--side",
    "sides",
    nargs=3,
    multiple=True,
    metavar="NAME TRACKER PLACE",
    help="A side and where it lives: a table, or PROJECT/TYPE. The first opens the second.",
)
@click.option("--scope", multiple=True, metavar="SIDE.FIELD=VALUE", help="Which items of a side count.")
@click.option("--instance", default="", help="A name for this Lockstep, part of its marks.")
@click.option("--timezone", "zone", default="UTC", show_default=True, help="The zone of every time in the file.")
@click.pass_context
def init(context: click.Context, /, out: Path | None, force: bool, playbook: str, zone: str, **given: Any) -> None:
    """Writes a commented file to begin with. It is made from what the live trackers tell of tables, types, states and
    fields. Asks on the terminal, or takes its answers from the flags. Writes nothing to a tracker, and no secret
    anywhere. With --playbook: the file of a shipped process, and people.csv beside it; asks nothing."""
    from sync.commands.files import begin_file, begin_playbook

    quiet_log(context.obj or "error")
    if playbook:
        begin_playbook(playbook, out or Path(f"{playbook}.toml"), force=force, given=given)
        return
    out = out or Path("lockstep.toml")
    if out.exists() and not force:
        fail(f"{out} is there already; --force overwrites it", USAGE)
    begin_file(out, zone=zone, **given)


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def doctor(context: click.Context, path: Path, as_json: bool) -> None:
    """Compares the file with the live trackers. It looks at names, values, steps, rights, time zones and clocks, and
    writes nothing."""
    from sync.commands.files import examined

    quiet_log(context.obj or "error")
    sys.exit(examined(path, as_json))


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs; the texts of comments are left out.")
@click.option(
    "--as-of", "moment", metavar="TIME", help="As if it were then, e.g. 2026-11-30T09:00 (UTC unless it says)."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write what waits for approval to a file.")
@click.option("--only", "kinds", type=click.Choice(KINDS), multiple=True, help="With --out: of this kind alone.")
@click.pass_context
def plan(
    context: click.Context, path: Path, as_json: bool, moment: str | None, out: Path | None, kinds: tuple[str, ...]
) -> None:
    """Shows what a pass would do, and why. Writes nothing, neither to a tracker nor to the state. With --out, what
    waits for a person (old items, proposals, an edited file) goes into a file that `apply` carries out."""
    from sync.clock import FrozenClock, SystemClock
    from sync.commands.engines import opened
    from sync.commands.plans import show_plan, write_plan
    from sync.commands.times import moment_of

    quiet_log(context.obj or "warning")
    at = FrozenClock(moment_of(moment, "--as-of")) if moment else None
    engine = opened(path, SystemClock(), exclusive=False, trial=not kinds or "edit" in kinds)
    engine.clock = at or engine.clock
    sys.exit(write_plan(engine, out, kinds or KINDS) if out else show_plan(engine, as_json))


@main.command()
@config_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--hash", "approved", default="", help="The hash of the plan that is approved; else it is asked for.")
def apply(path: Path, file: Path, approved: str) -> None:
    """Carries out a plan file exactly as it was shown. What changed since is skipped and listed. Works beside a running
    daemon too, which then does the work."""
    from sync.commands.asks import requested
    from sync.commands.plans import approve_plan

    quiet_log("error")
    shown = approve_plan(file, approved)
    sys.exit(requested(path, "apply", [shown], patience=APPLYING))


@main.command()
@config_option
@click.option("--dry-run", is_flag=True, help="Show the plan instead of applying it.")
@click.option("--over-guard", is_flag=True, help="Let this run write more than guard.writes allows.")
@click.pass_context
def reconcile(context: click.Context, path: Path, dry_run: bool, over_guard: bool) -> None:
    """Brings everything in step: passes until one is quiet. Reads every linked item and whatever changed."""
    from sync.clock import SystemClock
    from sync.commands.engines import opened
    from sync.commands.passes import run_reconcile
    from sync.commands.plans import show_plan

    quiet_log(context.obj or "warning")
    engine = opened(path, SystemClock(), exclusive=not dry_run)
    if dry_run:
        sys.exit(show_plan(engine, False, everything=True))
    sys.exit(run_reconcile(engine, over_guard=over_guard))


@main.command()
@config_option
@click.pass_context
def run(context: click.Context, path: Path) -> None:
    """Runs as a daemon: passes at the file's pace. SIGTERM finishes the write in flight; an edited file or SIGHUP is
    taken into force, a broken one is refused and the old one stays."""
    from sync.commands.passes import run_daemon

    quiet_log(context.obj or "info", as_json=not sys.stderr.isatty())
    run_daemon(path)


@main.command()
@config_option
def alive(path: Path) -> None:
    """Whether passes end, for a watchman: cron, systemd, Kubernetes. Exit code 1 where the last one ended longer ago
    than notices.silent (without it: 15 minutes). Asks no tracker."""
    from sync.commands.audit import is_alive
    from sync.commands.engines import at_rest

    sys.exit(is_alive(at_rest(path)))


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def audit(path: Path, as_json: bool) -> None:
    """What should have been done and was not. Steps of rules that are overdue, counted anew from recorded history;
    messages that wait longer than a day; deliveries that were refused. Exit code 1 where there is any. Asks no
    tracker."""
    from sync.commands.audit import audited
    from sync.commands.engines import at_rest

    sys.exit(audited(at_rest(path), as_json))


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--all", "everything", is_flag=True, help="Closed links too.")
@click.option("--by", type=click.Choice(["party", "stage", "age"]), default="party", show_default=True, help="Groups.")
@click.option("--party", default="", help="Only where it is this party's move.")
@click.option("--stage", default="", help="Only what stands in this stage.")
@click.option(
    "--over",
    is_flag=False,
    flag_value="target",
    default="",
    metavar="[SPAN]",
    help="Only what is over its stage's target, or longer in its stage than a span such as 2d.",
)
@click.option("--rows", default=20, show_default=True, help="Links listed, the worst first.")
def status(path: Path, as_json: bool, everything: bool, **narrowing: Any) -> None:
    """Where the work stands, the worst first. How many links by party, stage or age, how long, what is held; then the
    links. Asks no tracker."""
    from sync.commands.engines import at_rest
    from sync.commands.looks import show_board
    from sync.freezing.brake import told_frozen, trip_of

    engine = at_rest(path)
    frozen = told_frozen(engine)
    show_board(engine, as_json, everything, frozen, **narrowing)
    sys.exit(GUARD if trip_of(engine.store) else HELD if engine.store.counts()["held"] else QUIET)


@main.command()
@config_option
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", default=50, show_default=True, help="Items asked of one side.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def find(context: click.Context, path: Path, words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Which work speaks of WORDS, and how many it touches. Links and single items, open ones first. Looks at titles,
    descriptions and keys of what is in scope or linked, in every tracker; never at comments."""
    from sync.clock import SystemClock
    from sync.commands.engines import opened
    from sync.commands.looks import show_findings

    quiet_log(context.obj or "error")
    engine = opened(path, SystemClock(), exclusive=False, patient=True)
    sys.exit(show_findings(engine, " ".join(words), limit, as_json))


@main.command()
@config_option
@click.option("--from", "first", required=True, metavar="DATE", type=DAY, help="The first day, such as 2026-11-02.")
@click.option("--to", "last", required=True, metavar="DATE", type=DAY, help="The last day, itself included.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="The folder; named by the period else.")
@click.pass_context
def report(context: click.Context, path: Path, first: datetime, last: datetime, out: Path | None) -> None:
    """Writes the status report of a period. Incidents, problems, defects, requests, releases and maintenance, as the
    file's [status_report] asks: one page that prints, and the same numbers as Markdown and CSV. Reads the trackers
    alone; works beside a running Lockstep."""
    from sync.clock import SystemClock
    from sync.commands.status_reports import write_report

    quiet_log(context.obj or "error")
    sys.exit(write_report(path, first.date(), last.date(), out, SystemClock()))


@main.command()
@config_option
@click.argument("item")
@click.pass_context
def why(context: click.Context, path: Path, item: str) -> None:
    """Why an item is as it is. Whose word each field is, what a pass would do with it and why, what is held, and what
    the journal says. ITEM is a key such as INC0010003."""
    from sync.clock import SystemClock
    from sync.commands.engines import opened
    from sync.commands.looks import show_why

    quiet_log(context.obj or "error")
    engine = opened(path, SystemClock(), exclusive=False, patient=True)
    show_why(engine, item)


@main.command()
@config_option
@click.argument("items", nargs=-1)
@click.option("--from", "start", default="", metavar="DAY", help="From the beginning of a day, such as 2026-11-01.")
@click.option("--to", "end", default="", metavar="DAY", help="To the end of a day.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def moves(path: Path, items: tuple[str, ...], start: str, end: str, as_json: bool) -> None:
    """Whose move it was, and for how long. A row a link: the hours of each party, as its own calendar counts them, and
    the time for which the clocks stood still. ITEMS are keys such as INC0010003; without them: every link."""
    from sync.commands.engines import at_rest
    from sync.commands.turns import show_turns

    sys.exit(show_turns(at_rest(path), items, start, end, as_json))


@main.command()
@config_option
@click.argument("items", nargs=-1, required=True)
def link(path: Path, items: tuple[str, ...]) -> None:
    """Makes ITEMS one link. It is that of the one which has a link, or a new one that the first opens. ITEMS are keys
    such as INC0010003; TRACKER/KEY where two trackers have the same. Works beside a running Lockstep too."""
    from sync.commands.asks import requested

    sys.exit(requested(path, "link", items))


@main.command()
@config_option
@click.argument("items", nargs=-1, required=True)
def unlink(path: Path, items: tuple[str, ...]) -> None:
    """Takes ITEMS out of their link for good. They lose our mark and nothing else; nothing is opened from them before
    a person links them again. Of an item that is only proposed for a link, the proposal is declined."""
    from sync.commands.asks import requested

    sys.exit(requested(path, "unlink", items))


@main.command()
@config_option
@click.argument("items", nargs=-1, required=True)
def split(path: Path, items: tuple[str, ...]) -> None:
    """Makes ITEMS of one link a link of their own. The first of them opens it."""
    from sync.commands.asks import requested

    sys.exit(requested(path, "split", items))


@main.command()
@config_option
@click.argument("item", default="")
@click.option("--retry", is_flag=True, help="Try it again in the next pass; without ITEM all of it.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def held(path: Path, item: str, retry: bool, as_json: bool) -> None:
    """What is set aside, why, how often it was tried, and what helps. With ITEM only what is held of that one."""
    from sync.commands.asks import say_to_brakes
    from sync.commands.engines import at_rest
    from sync.commands.looks import show_held
    from sync.freezing.again import again

    if retry:
        say_to_brakes(path, lambda engine, by: again(engine, item, by))
        return
    sys.exit(show_held(at_rest(path), item, as_json))


@main.command()
@config_option
@click.argument("report")
@click.option(
    "--as-of", "moment", metavar="TIME", help="As if it were due then, e.g. 2026-11-30T07:00 (UTC unless it says)."
)
@click.option("--dry-run", is_flag=True, help="Print it instead; nothing is sent.")
@click.pass_context
def send(context: click.Context, path: Path, report: str, moment: str | None, dry_run: bool) -> None:
    """Sends a report of the file now, beside its own times. REPORT is its id. Works beside a running Lockstep too."""
    from sync.commands.reports import send_report
    from sync.commands.times import moment_of

    quiet_log(context.obj or "error")
    sys.exit(send_report(path, report, moment_of(moment, "--as-of") if moment else None, dry_run=dry_run))


@main.command()
@config_option
@click.argument("item")
@click.option("--by", "who", metavar="NAME", required=True, help="Who watches: a person of the roster, or an address.")
def watch(path: Path, item: str, who: str) -> None:
    """Puts somebody on the watch list of an item. They hear of all that moves in the link of ITEM, with the digest of
    what is watched. The same as typing !watch in a comment there."""
    from sync.commands.asks import requested

    sys.exit(requested(path, "watch", [item, who]))


@main.command()
@config_option
@click.argument("item")
@click.option("--by", "who", metavar="NAME", required=True, help="Who watched, by the name they watched under.")
def unwatch(path: Path, item: str, who: str) -> None:
    """Takes somebody off the watch list of an item. The same as typing !unwatch in a comment there."""
    from sync.commands.asks import requested

    sys.exit(requested(path, "unwatch", [item, who]))


@main.command()
@config_option
@click.argument("what", default="all")
def pause(path: Path, what: str) -> None:
    """Stops the writing; reading and alerting go on. It takes effect at once, beside a running daemon too. WHAT is all,
    route:ID, or the key of a linked item or of a link."""
    from sync.commands.asks import say_to_brakes
    from sync.freezing import brake

    say_to_brakes(path, lambda engine, by: brake.pause(engine, what, by))


@main.command()
@config_option
@click.argument("what", default="all")
def resume(path: Path, what: str) -> None:
    """Lets what was paused be written again. Without WHAT: the pause of everything, and what a guard stopped. With the
    key of an item also one that its budget of writes stopped."""
    from sync.commands.asks import say_to_brakes
    from sync.freezing import brake

    say_to_brakes(path, lambda engine, by: brake.resume(engine, what, by))


@main.command()
@config_option
def approve(path: Path) -> None:
    """Lets the pass through that a guard stopped. What comes on top of it must pass the guards again."""
    from sync.commands.asks import say_to_brakes
    from sync.freezing import brake

    say_to_brakes(path, lambda engine, by: brake.approve(engine, by))


@main.command()
@click.option("--keep", type=click.Path(path_type=Path), help="Leave the file and the state in this folder.")
@click.option("--verbose", is_flag=True, help="The log lines too.")
def demo(keep: Path | None, verbose: bool) -> None:
    """Tells a story on three simulated trackers. Incidents, a defect, a PBI, comments, an escalation, the end. Needs
    nothing but this machine and takes less than a minute."""
    import tempfile

    quiet_log("info" if verbose else "error")
    with tempfile.TemporaryDirectory() as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        sys.exit(tell_story(folder))


@main.command()
@click.option(
    "--replay", type=click.Path(exists=True, path_type=Path), help="Play a real incident log against the bot."
)
@click.option("--limit", type=int, default=0, help="With --replay: so many of its incidents (0: all).")
@click.option("--faults", is_flag=True, help="With --replay: with seeded faults.")
@click.option("--seed", type=int, default=1, show_default=True, help="With --replay: which sample and which faults.")
@click.option("--playbook", default="", metavar="NAME", help="Trackers and people for a shipped process, to try it.")
@click.option("--port", type=int, default=8401, show_default=True, help="The first of five ports.")
@click.option(
    "--file", "path", type=click.Path(path_type=Path), help="The file to write: sandbox.toml, or sandbox-NAME.toml."
)
def sandbox(
    replay: Path | None, limit: int, faults: bool, seed: int, playbook: str, port: int, path: Path | None
) -> None:
    """Keeps three simulated trackers running to try a file on. Or plays a log of real incidents through them and the
    bot, and counts what was lost or doubled."""
    quiet_log("critical" if faults else "error")
    if replay:
        sys.exit(play_log(replay, limit, faults, seed))
    try:
        if playbook:
            serve_premises(playbook, port, path or Path(f"sandbox-{playbook}.toml"))
        else:
            serve_sandbox(port, path or Path("sandbox.toml"))
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        fail(f"a port from {port} on is taken, perhaps by another sandbox; end that, or write --port 8501", USAGE)


# ── the demo and the sandbox ──────────────────────────────────────────────────────────────────────────────────────────


def tell_story(folder: Path) -> int:
    """The demo: the sandbox's story, and the bot at work on it."""
    from sandbox.estate import Estate
    from sandbox.story import MORNING, Story
    from sync.commands.demo import tell
    from sync.commands.engines import loaded, ready

    estate = Estate(MORNING)
    os.environ.update(estate.environment())
    path = folder / "lockstep.toml"
    path.write_text(estate.file(f"sqlite:///{folder / 'lockstep.db'}"))
    engine = ready(loaded(path), estate.clock, path, exclusive=True)
    code = tell(engine, Story(estate), lambda: len(estate.log.entries), estate.hook.cards, folder)
    engine.store.close()
    estate.stop()
    return code


def play_log(log: Path, limit: int, faults: bool, seed: int) -> int:
    """Plays a log of real incidents through the sandbox and the bot on the log's own clock; tells what was lost or
    doubled, counted from the trackers' histories. 0 where nothing was."""
    import tempfile
    from collections import Counter

    from sandbox.replay import Checker, Replay, Storm, play, read_log, replay_estate, replay_file, sample
    from sync.commands.engines import loaded, ready
    from sync.commands.passes import progress_bar
    from sync.reconcile import one_pass

    incidents = read_log(log)
    events = sample(incidents, limit, seed)
    estate = replay_estate(events[0].at, seed=seed)
    os.environ.update(estate.environment())
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "lockstep.toml"
        path.write_text(estate.file(f"sqlite:///{scratch}/lockstep.db", replay_file()))
        engine = ready(loaded(path), estate.clock, path, exclusive=True)
        replay = Replay(estate, events, first=incidents[0].at, seed=seed)
        checker = Checker(replay, replay_file(), strict=not faults)
        storm = Storm(estate, seed) if faults else None
        with progress_bar("windows") as tick:
            report = play(estate, replay, lambda: one_pass(engine), checker, storm=storm, seed=seed, progress=tick)
        report.held = Counter(held.what for held, _ in engine.store.held())
        engine.store.close()
    estate.stop()
    click.echo(report.table())
    for finding in report.findings[:20]:
        click.echo(str(finding))
    return QUIET if report.clean else HELD


def serve_sandbox(port: int, path: Path) -> None:
    """Runs the three trackers in real time until interrupted, and writes a file that fits them."""
    from sandbox.estate import Estate
    from sandbox.settled import settle

    estate = Estate(ports=ports_from(port))
    settle(estate)
    if not path.exists():
        path.write_text(estate.file(f"sqlite:///{path.stem}.db"))
    keep_serving(estate, path, "who logs an incident that becomes a defect", estate.first_steps())


def serve_premises(name: str, port: int, path: Path) -> None:
    """The same for a shipped playbook: its file with the addresses replaced, its roster beside it, and a mail server.
    What reaches people is printed."""
    from sandbox.mailbox import Mailbox
    from sandbox.premises import FIRST, MADE, MAIL_PASSWORD, premises
    from sandbox.shown import card_text, mail_text
    from sync.interview.playbook import ROSTER, put_whole, shelf

    if name not in MADE:
        fail(f"there is no playbook {name}; there are {', '.join(MADE)}", USAGE)
    estate = premises(name, ports_from(port))
    box = Mailbox(lambda raw: click.echo(mail_text(raw)), "lockstep", MAIL_PASSWORD, port + 4)
    estate.hook.tell = lambda card: click.echo(card_text(card))
    text, roster = (shelf() / f"{name}.toml").read_text("utf-8"), (shelf() / f"{name}.csv").read_text("utf-8")
    if not path.exists():
        put_whole(path, estate.filled_in(text, f"sqlite:///{path.stem}.db", box.port, 'poll = "5s"'))
    if not (beside := path.absolute().parent / ROSTER).exists():
        put_whole(beside, roster)
    keep_serving(estate, path, "with whom the process begins", FIRST[name](estate.urls))
    box.stop()


def ports_from(first: int) -> dict[str, int]:
    return {name: first + n for n, name in enumerate(("servicenow", "jira", "azure", "teams"))}


def keep_serving(estate: Any, path: Path, who: str, first_steps: str) -> None:
    """Says how to go on, and serves until interrupted."""
    import shlex
    import time

    click.echo("\n".join(f"{name:11} {url}" for name, url in estate.urls.items()))
    click.echo("\n".join(f"export {name}={shlex.quote(value)}" for name, value in estate.environment().items()))
    click.echo(
        f"\nThe file for it is {path}. In another shell: the exports above, then\n"
        f"  {program()} run -c {path}\n"
        f"and, while that runs, in a third, as a person {who}:\n"
        f"  {first_steps}\n"
        f"Control-C ends the sandbox and forgets all that is in it: delete {path.stem}.db before the next one."
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        estate.stop()


def quiet_log(level: str, *, as_json: bool = False) -> None:
    from sync.log import configure

    configure(level, as_json=as_json)


if __name__ == "__main__":
    main()
