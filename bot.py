"""Lockstep's command line and composition, nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from connectors.base import Clock
    from sync.engine import Engine
    from sync.reconcile import Pass
    from sync.setup import Setup

QUIET, HELD, USAGE, UNREACHABLE, GUARD, LOCKED = range(6)
LEVELS = ("debug", "info", "warning", "error", "critical")
CODES = (
    "Exit codes: 0 quiet, 1 something held or failed, 2 configuration or usage, 3 a tracker unreachable, "
    "4 a guard tripped, 5 another instance holds the state."
)

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
    """Reads the file and tells every problem at once, with its line and what to write instead. Needs no network."""
    setup = loaded(path)
    parts = {"side": setup.sides, "stage": setup.stages.stages, "route": setup.routes, "field": setup.fields}
    parts |= {"comment path": setup.paths, "rule": setup.rules}
    told = ", ".join(f"{len(some)} {name}{'' if len(some) == 1 else 's'}" for name, some in parts.items())
    click.echo(f"{path}: {told}. No problems.")


@main.command()
@click.option("--out", default="lockstep.toml", show_default=True, type=click.Path(path_type=Path), help="The file.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
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
def init(context: click.Context, /, out: Path, force: bool, zone: str, **given: Any) -> None:
    """Writes a commented file to begin with, from what the live trackers tell of tables, types, states and fields. Asks
    on the terminal, or takes its answers from the flags. Writes nothing to a tracker, and no secret anywhere."""
    quiet_log(context.obj or "error")
    if out.exists() and not force:
        fail(f"{out} is there already; --force overwrites it", USAGE)
    begin_file(out, zone=zone, **given)


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def doctor(context: click.Context, path: Path, as_json: bool) -> None:
    """Compares the file with the live trackers: names, values, steps, rights, time zones, clocks. Writes nothing."""
    quiet_log(context.obj or "error")
    sys.exit(examined(path, as_json))


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs; the texts of comments are left out.")
@click.option(
    "--as-of", "moment", metavar="TIME", help="As if it were then, e.g. 2026-11-30T09:00 (UTC unless it says)."
)
@click.pass_context
def plan(context: click.Context, path: Path, as_json: bool, moment: str | None) -> None:
    """Shows what a pass would do, and why. Writes nothing: neither to a tracker nor to the state."""
    from sync.clock import FrozenClock, SystemClock

    quiet_log(context.obj or "warning")
    at = FrozenClock(parsed_time(moment)) if moment else None
    engine = opened(path, SystemClock(), exclusive=False)
    engine.clock = at or engine.clock
    sys.exit(show_plan(engine, as_json))


@main.command()
@config_option
@click.option("--dry-run", is_flag=True, help="Show the plan instead of applying it.")
@click.option("--over-guard", is_flag=True, help="Let this run write more than guard.writes allows.")
@click.pass_context
def reconcile(context: click.Context, path: Path, dry_run: bool, over_guard: bool) -> None:
    """Reads every linked item and whatever changed, and brings all of it in step: passes until one is quiet."""
    from sync.clock import SystemClock

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
    import structlog

    from sync.clock import SystemClock
    from sync.compose import recompose
    from sync.config import ConfigProblems, load
    from sync.daemon import Daemon
    from sync.orders import Orders

    quiet_log(context.obj or "info", as_json=not sys.stderr.isatty())
    log = structlog.get_logger()
    orders = Orders()
    orders.listen()
    orders.watch(path.resolve())
    engine = opened(path, SystemClock(), exclusive=True, patient=True)
    engine.stopping = orders.stopping

    def reload() -> Setup | None:
        try:
            return load(path)
        except ConfigProblems as problems:
            for one in problems.problems:
                told = {"place": f"{one.file}:{one.line}", "key": one.key, "reason": one.said()}
                log.error("edited file not taken into force, the old one stays", action="reload", **told)
            return None

    daemon = Daemon(engine, orders, reload, recompose)
    daemon.run()
    daemon.engine.close()


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--all", "everything", is_flag=True, help="Closed links too.")
def status(path: Path, as_json: bool, everything: bool) -> None:
    """Links with their items and stages, and what is held. Asks no tracker."""
    from sync import show

    engine = at_rest(path)
    links = [link for link in engine.store.links() if everything or not link.closed]
    counts = engine.store.counts()
    if as_json:
        click.echo(json.dumps({"counts": counts, "links": [link_json(link) for link in links]}, indent=2))
    else:
        out = show.console()
        out.print(show.status_table(engine, links))
        out.print(", ".join(f"{count} {name}" for name, count in counts.items()))
        if note := engine.store.noted("guard"):
            out.print(f"[red]The guard tripped: {note}[/red]")
    sys.exit(HELD if counts["held"] else QUIET)


@main.command()
@config_option
@click.argument("item")
@click.pass_context
def why(context: click.Context, path: Path, item: str) -> None:
    """Why an item is as it is: whose word each field is, what a pass would do with it and why, what is held, and what
    the journal says. ITEM is a key such as INC0010003."""
    from sync import show
    from sync.clock import SystemClock
    from sync.reconcile import dry_links

    quiet_log(context.obj or "error")
    engine = opened(path, SystemClock(), exclusive=False, patient=True)
    links = engine.store.find(item)
    if not links:
        raise click.ClickException(f"{item} is unknown: neither in scope nor linked. Is its side's scope right?")
    plans = {plan.key: plan for plan in dry_links(engine, links)}
    for link in links:
        show.console().print(show.why_text(engine, link, plans.get(link.key)))


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def held(path: Path, as_json: bool) -> None:
    """What is set aside, with the tracker's own reason and what helps."""
    from sync import show

    engine = at_rest(path)
    rows, unsent = engine.store.held(), engine.store.unsent()
    if as_json:
        told = [
            {"item": k, "what": h.what, "reason": h.reason, "advice": h.advice, "since": str(h.since)} for h, k in rows
        ]
        click.echo(json.dumps({"held": told, "unsent": unsent}, indent=2))
    else:
        show.console().print(show.held_table(rows, unsent))
    sys.exit(HELD if rows or unsent else QUIET)


@main.command()
@click.option("--keep", type=click.Path(path_type=Path), help="Leave the file and the state in this folder.")
@click.option("--verbose", is_flag=True, help="The log lines too.")
def demo(keep: Path | None, verbose: bool) -> None:
    """Tells a story on three simulated trackers: incidents, a defect, a PBI, comments, an escalation, the end. Needs
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
@click.option("--port", type=int, default=8401, show_default=True, help="The first of four ports.")
@click.option(
    "--file",
    "path",
    default="sandbox.toml",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The file to write.",
)
def sandbox(replay: Path | None, limit: int, faults: bool, seed: int, port: int, path: Path) -> None:
    """Keeps the three simulated trackers running, to try a file on; or plays a log of real incidents through them and
    the bot, and counts what was lost or doubled."""
    quiet_log("critical" if faults else "error")
    if replay:
        sys.exit(play_log(replay, limit, faults, seed))
    serve_sandbox(port, path)


# ── composition ──────────────────────────────────────────────────────────────────────────────────────────────────


def loaded(path: Path) -> Setup:
    """The file, or every problem in it and exit 2."""
    from sync.config import ConfigProblems, load_with_warnings

    try:
        setup, warnings = load_with_warnings(path)
    except ConfigProblems as problems:
        fail(str(problems), USAGE)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    return setup


def opened(path: Path, clock: Clock, *, exclusive: bool, patient: bool = False) -> Engine:
    """An engine with its trackers open. Names in the file that a tracker does not know end it with exit 2; so does no
    tracker at all with 3, unless ``patient``: a daemon goes on without the one that is down."""
    setup = loaded(path)
    return ready(setup, clock, path, exclusive=exclusive, patient=patient)


def ready(setup: Setup, clock: Clock, path: Path, *, exclusive: bool, patient: bool = False) -> Engine:
    from sync.compose import compose, mismatches
    from sync.store import StateBroken, StateLocked

    try:
        engine = compose(setup, clock, exclusive=exclusive)
    except StateLocked as locked:
        fail(str(locked), LOCKED)
    except StateBroken as broken:
        fail(str(broken), USAGE)
    click.get_current_context().call_on_close(engine.close)
    for failure in engine.open().values():
        click.echo(str(failure), err=True)
    wrong = [f"{path}:{m.line}: {m.path}: {m.text}" for m in mismatches(engine)]
    if wrong:
        fail("\n".join(wrong), USAGE)
    if engine.closed and len(engine.closed) == len(engine.connectors) and not patient:
        fail("No tracker can be worked with; nothing was done.", UNREACHABLE)
    return engine


def begin_file(out: Path, **given: Any) -> None:
    """Interviews the admin, or takes the flags, looks at the trackers and writes the file; says what comes next."""
    import os
    from zoneinfo import ZoneInfo

    from connectors.base import Failure
    from sync.clock import SystemClock
    from sync.compose import connect
    from sync.interview import Unclear, look, page, put
    from sync.interview.ask import interview
    from sync.interview.flags import answers_of
    from sync.interview.look import Eyes

    eyes = Eyes(connect, SystemClock(), os.environ, out.absolute().parent)
    try:
        answers = answers_of(**given) if given["trackers"] else interview(eyes)
        today = eyes.clock.now().astimezone(ZoneInfo(answers.zone)).date()
        text = page(answers, look(answers, eyes), today, out.name)
        written = put(text, out, os.environ, eyes.typed, program())
    except Unclear as unclear:
        fail(str(unclear), USAGE)
    except Failure as failure:
        fail(str(failure), UNREACHABLE)
    for line in written:
        click.echo(line)


def program() -> str:
    """How this program was called: by its name once it is installed, else the words that were typed."""
    return f"{sys.orig_argv[0]} {sys.argv[0]}" if Path(sys.argv[0]).name == "bot.py" else "lockstep"


def examined(path: Path, as_json: bool) -> int:
    """What the trackers say of the file: 2 where it does not fit them, 3 where one could not be asked."""
    from sync import show
    from sync.clock import SystemClock
    from sync.compose import connect
    from sync.doctor import examine, visit
    from sync.doctor.show import as_json as told
    from sync.doctor.show import as_text

    setup = loaded(path)
    reports = visit(setup, SystemClock(), connect)
    findings = examine(setup, reports)
    if as_json:
        click.echo(json.dumps(told(str(path), reports, findings), indent=2))
    else:
        show.console().print(as_text(str(path), reports, findings))
    if any(finding.level == "error" for finding in findings):
        return USAGE
    return UNREACHABLE if any(report.failure for report in reports.values()) else QUIET


def tell_story(folder: Path) -> int:
    """The demo: a scene, a pass, what the pass did; then the same pass again, and where to go next."""
    import os

    from rich.panel import Panel

    from sandbox.estate import Estate
    from sandbox.story import MORNING, Story
    from sync import show

    out = show.console(width=110) if not sys.stdout.isatty() else show.console()
    estate = Estate(MORNING)
    os.environ.update(estate.environment())
    path = folder / "lockstep.toml"
    path.write_text(estate.file(f"sqlite:///{folder / 'lockstep.db'}"))
    engine = ready(loaded(path), estate.clock, path, exclusive=True)
    story = Story(estate)
    for number, scene in enumerate(story.scenes(), 1):
        scene.act()
        told = f"{estate.clock.now():%a %d %b %H:%M} UTC   {scene.told}"
        out.print(Panel(told, title=f"{number}. {scene.title}", title_align="left", border_style="cyan"))
        for plan in pass_until_quiet(engine):
            out.print(show.done_text(plan))
    for title, comments in story.conversations():
        out.print(show.conversation(title, comments))
    code = idle_again(engine, estate, out)
    out.print(show.status_table(engine, engine.store.links()))
    out.print(show.demo_end(estate.hook.cards, folder))
    engine.store.close()
    estate.stop()
    return code


def pass_until_quiet(engine: Engine) -> list[Any]:
    """Passes until one has nothing to do; the plans they carried out."""
    from sync.reconcile import one_pass

    plans: list[Any] = []
    for _ in range(5):
        done = one_pass(engine)
        plans += done.plans
        if done.quiet:
            break
    return plans


def idle_again(engine: Engine, estate: Any, out: Any) -> int:
    """The same pass again: what it asked and what it wrote."""
    from sync.reconcile import one_pass

    before = len(estate.log.entries)
    done = one_pass(engine)
    asked = len(estate.log.entries) - before
    out.print(
        f"\nThe same pass again: [bold]{asked} requests[/bold], one for each side, "
        f"and [bold]{done.writes} writes[/bold].\n"
    )
    return QUIET if done.quiet else HELD


def play_log(log: Path, limit: int, faults: bool, seed: int) -> int:
    """Plays a log of real incidents through the sandbox and the bot on the log's own clock; tells what was lost or
    doubled, counted from the trackers' histories. 0 where nothing was."""
    import os
    import tempfile

    from sandbox.replay import Checker, Replay, Storm, play, read_log, replay_estate, replay_file, sample
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
        report.held = causes(engine)
        engine.store.close()
    estate.stop()
    click.echo(report.table())
    for finding in report.findings[:20]:
        click.echo(str(finding))
    return QUIET if report.clean else HELD


def causes(engine: Engine) -> dict[str, int]:
    """How many things are set aside, by what."""
    from collections import Counter

    return dict(Counter(held.what for held, _ in engine.store.held()))


def serve_sandbox(port: int, path: Path) -> None:
    """Runs the three trackers in real time until interrupted, and writes a file that fits them."""
    import time

    from sandbox.estate import Estate
    from sandbox.settled import settle

    names = ("servicenow", "jira", "azure", "teams")
    estate = Estate(ports={name: port + n for n, name in enumerate(names)})
    settle(estate)
    if not path.exists():
        path.write_text(estate.file(f"sqlite:///{path.stem}.db"))
    click.echo("\n".join(f"{name:11} {url}" for name, url in estate.urls.items()))
    click.echo("\n".join(f"export {name}={value}" for name, value in estate.environment().items()))
    click.echo(
        f"\nThe file for it is {path}. In another shell: the exports above, then\n"
        f"  {program()} run -c {path}\n"
        f"and, while that runs, in a third, as a person who logs an incident that becomes a defect:\n"
        f"  {estate.first_steps()}\n"
        f"Control-C ends the sandbox."
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        estate.stop()


def at_rest(path: Path) -> Engine:
    """The state beside a running daemon: read, never written, no tracker asked."""
    from sync.clock import SystemClock
    from sync.compose import compose
    from sync.store import StateBroken

    try:
        engine = compose(loaded(path), SystemClock(), exclusive=False)
    except StateBroken as broken:
        fail(str(broken), USAGE)
    click.get_current_context().call_on_close(engine.close)
    return engine


def show_plan(engine: Engine, as_json: bool, *, everything: bool = False) -> int:
    from sync import show
    from sync.reconcile import dry

    done = dry(engine, everything=everything)
    if as_json:
        click.echo(json.dumps(show.plan_json(done.plans), indent=2))
    else:
        show.console().print(show.plan_text(done.plans, done.aged))
    for failure in done.failures.values():
        click.echo(str(failure), err=True)
    return UNREACHABLE if done.failures else QUIET


def run_reconcile(engine: Engine, *, over_guard: bool = False) -> int:
    """Reconciles under a progress bar and tells what came of it; the exit code."""
    from sync import show
    from sync.reconcile import GuardTripped, reconcile

    try:
        with progress_bar() as tick:
            passes = reconcile(engine, over_guard=over_guard, progress=tick)
    except GuardTripped as tripped:
        click.echo(f"{tripped}. Raise guard.writes, or run reconcile --over-guard.", err=True)
        return GUARD
    show.console().print(show.summary(passes))
    for failure in show.failures(passes):
        click.echo(failure, err=True)
    return outcome(engine, passes)


def outcome(engine: Engine, passes: list[Pass]) -> int:
    if passes[-1].failures:
        return UNREACHABLE
    left = engine.store.counts()["held"] or engine.store.unsent() or not passes[-1].quiet
    return HELD if left else QUIET


class progress_bar:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, what: str = "links") -> None:
        self.what = what

    def __enter__(self) -> Callable[[int, int], None]:
        from rich.progress import Progress

        self.bar = Progress(transient=True, disable=not sys.stderr.isatty())
        self.bar.start()
        self.task = self.bar.add_task(self.what, total=None)
        return lambda done, total: self.bar.update(self.task, completed=done, total=total)

    def __exit__(self, *error: object) -> None:
        self.bar.stop()


def link_json(link: Any) -> dict[str, Any]:
    return {
        "link": link.key,
        "items": {str(item.ref): item.key for item in link.items},
        "agreed": {name: agreed.value for name, agreed in link.agreed.items()},
        "closed": str(link.closed) if link.closed else None,
        "held": len(link.held),
    }


def parsed_time(text: str) -> datetime:
    from datetime import UTC

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write it as 2026-11-30T09:00", param_hint="--as-of") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def quiet_log(level: str, *, as_json: bool = False) -> None:
    from sync.log import configure

    configure(level, as_json=as_json)


def fail(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
