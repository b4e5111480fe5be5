"""Whether passes end: each end is noted, a watchman outside is called, and people hear of it when none ended for too
long, from the next start, or from a thread beside a pass that hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import requests
import structlog

from connectors.auth import Secret
from sync.engine import Engine
from sync.escalation.outbox import flush
from sync.escalation.posting import hushed, session_to
from sync.log import where
from sync.setup import Webhook
from sync.store import StateBroken, Store

#: the note in the state: when the last pass ended
ENDED = "pass ended"
#: what is allowed where the file says nothing
SILENT = timedelta(minutes=15)
#: how often the watch looks, and how long the watchman outside may take to answer: to connect, to reply (seconds)
LOOK, ANSWER = 30.0, (3, 7)


def last_end(store: Store) -> datetime | None:
    """When the last pass ended; ``None`` where none has."""
    noted = store.noted(ENDED)
    return datetime.fromisoformat(noted) if noted else None


def pass_ended(engine: Engine) -> None:
    """Notes that a pass ended. Tells those who are to hear of it where none had for too long before."""
    now, before, silent = engine.now(), last_end(engine.store), engine.setup.notices.silent
    engine.store.note(ENDED, now.isoformat())
    if before is None or silent is None or now - before <= silent:
        return
    text = f"Lockstep was silent from {told(before)} to {told(now)}: no pass ended in between. It works again."
    structlog.get_logger().warning("was silent", action="alive", since=before.isoformat(), until=now.isoformat())
    tell(engine, f"silent:{before.isoformat()}:over", "works again", text)
    flush(engine, now)


def tell(engine: Engine, key: str, event: str, text: str) -> None:
    """A mail and a card to those whom the file names for it, about Lockstep itself; one key is told once."""
    notices, subject = engine.setup.notices, f"Lockstep {engine.setup.instance}: {event}"
    to = {"email": notices.tell, "teams": (notices.teams,) if notices.teams else ()}
    for kind, names in to.items():
        if names:
            engine.store.tell(f"{key}:{kind}", kind, names, subject, text, engine.now())


def verdict(last: datetime | None, silent: timedelta | None, now: datetime) -> tuple[bool, str]:
    """Whether Lockstep is alive, and a sentence that says so. Pure."""
    allowed = silent or SILENT
    bound = f"notices.silent allows {spoken(allowed)}" if silent else f"{spoken(allowed)} are allowed"
    if last is None:
        return False, "No pass has ended yet. Is `lockstep run` at work on this file?"
    if now - last > allowed:
        return False, f"No pass has ended for {spoken(now - last)}, since {told(last)}; {bound}."
    return True, f"The last pass ended {spoken(now - last)} ago."


def told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def spoken(span: timedelta) -> str:
    """A length of time in its two largest units."""
    left, words = max(0, int(span.total_seconds())), []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        words += [f"{count} {unit}"] if count else []
    return " ".join(words[:2]) or "0 s"


class Beat:
    """Calls a watchman's address after each pass that ended. That it does not answer is logged once, until it does."""

    def __init__(self) -> None:
        self.failing = False

    def strike(self, url: Secret | None) -> None:
        """One call; what goes wrong never reaches the pass."""
        if url is None:
            return
        wrong = call(url)
        if wrong and not self.failing:
            structlog.get_logger().warning("heartbeat not taken", action="alive", reason=wrong)
        elif self.failing and not wrong:
            structlog.get_logger().info("heartbeat taken again", action="alive")
        self.failing = bool(wrong)


def call(url: Secret) -> str:
    """Asks for the address, which is a secret, once; what went wrong, without it. One that only points elsewhere has
    heard nothing: it is not followed, for the secret would go along."""
    try:
        with hushed(), session_to(Webhook(url)) as session:
            status = session.get(url.reveal(), timeout=ANSWER, allow_redirects=False).status_code
    except (requests.RequestException, OSError, ValueError) as error:
        return f"the address under notices.beat cannot be reached ({type(error).__name__})"
    return "" if status < 300 else f"the address under notices.beat answers HTTP {status}"


class Watch:
    """Looks, beside the passes, whether they end. ``engine`` gives the engine at work: an edited file makes a new
    one."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self.engine = engine
        self.ended = engine().now()
        self.spoke: datetime | None = None

    def start(self, stopping: threading.Event) -> threading.Thread:
        """A thread that looks until the end of the process."""
        thread = threading.Thread(target=self.follow, args=(stopping,), daemon=True, name="watch")
        thread.start()
        return thread

    def follow(self, stopping: threading.Event) -> None:
        """Looks now and then."""
        while not stopping.wait(self.pace()):
            try:
                self.look()
            except StateBroken as broken:
                structlog.get_logger().error("silence cannot be told", action="alive", reason=str(broken))
            except Exception as error:
                structlog.get_logger().error("silence cannot be told", action="alive", where=where(error))

    def pace(self) -> float:
        """Seconds between two looks."""
        silent = self.engine().setup.notices.silent
        return min(LOOK, silent.total_seconds() / 4) if silent else LOOK

    def passed(self) -> None:
        """A pass ended."""
        self.ended = self.engine().now()

    def look(self) -> None:
        """Says once that no pass has ended for too long, and sees to it that this goes out: the pass that would send
        it may never end."""
        engine = self.engine()
        silent, now, ended = engine.setup.notices.silent, engine.now(), self.ended
        if silent is None or now - ended <= silent or self.spoke == ended:
            return
        self.spoke = ended
        text = f"No pass of Lockstep has ended since {told(ended)}. A pass may hang; look at its log, or start it anew."
        structlog.get_logger().error("no pass ends", action="alive", since=ended.isoformat())
        tell(engine, f"silent:{ended.isoformat()}", "is silent", text)
        flush(engine, now)
