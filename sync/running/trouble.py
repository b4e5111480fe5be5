"""A state that cannot be used for a while: its disk is full, another program holds it, its server is away. Nothing is
written then; it is said once when it begins and once when it is over, and people are told where it lasts."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from sync.engine import Engine
from sync.escalation.notify import NotifyDown, NotifyRefused
from sync.escalation.outbox import send
from sync.log import where
from sync.running.alive import tell, told
from sync.store import Outgoing, StateBroken

#: a backup may hold the state for so long before anybody is told
LASTS = timedelta(minutes=2)


class Trouble:
    """What is wrong with the state, and who heard of it. ``since`` is ``None`` while nothing is."""

    def __init__(self) -> None:
        self.reason = ""
        self.since: datetime | None = None
        self.heard = False

    def met(self, engine: Engine, broken: StateBroken) -> None:
        """A pass, or its end, met with it."""
        now = engine.now()
        self.since = self.since or now
        if str(broken) != self.reason:
            self.reason = str(broken)
            structlog.get_logger().error(
                "state unusable, nothing is written until it is", action="pass", reason=self.reason
            )
        if not self.heard and now - self.since >= LASTS:
            text = (
                f"Lockstep cannot use its state since {told(self.since)}: {self.reason}. Nothing is written to any "
                "tracker until it can. It tries again with each pass and goes on by itself; nothing is lost."
            )
            self.heard = at_once(engine, f"state:{self.since.isoformat()}", "its state cannot be used", text)

    def over(self, engine: Engine) -> None:
        """A pass came to its end."""
        if self.since is None:
            return
        structlog.get_logger().info("state usable again, writing goes on", action="pass", since=self.since.isoformat())
        if self.heard:
            text = f"Lockstep could not use its state since {told(self.since)}. It works again and has caught up."
            tell(engine, f"state:{self.since.isoformat()}:over", "works again", text)
        self.reason, self.since, self.heard = "", None, False


def at_once(engine: Engine, key: str, event: str, text: str) -> bool:
    """Sends to those whom the file names for news of Lockstep itself, past the state: what cannot be used cannot keep
    a message either. Whether there is nobody to tell or somebody was told."""
    notices, subject = engine.setup.notices, f"Lockstep {engine.setup.instance}: {event}"
    to = {"email": tuple(notices.tell), "teams": (notices.teams,) if notices.teams else ()}
    words = {"cc": (), "subject": subject, "text": text}
    letters = [Outgoing(key, 0, kind, {**words, "to": names}, (), 0) for kind, names in to.items() if names]
    came = [sent(engine, letter) for letter in letters]
    return any(came) or not came


def sent(engine: Engine, outgoing: Outgoing) -> bool:
    log = structlog.get_logger()
    try:
        send(engine, outgoing)
    except (NotifyDown, NotifyRefused) as failure:
        log.warning("not sent", action="notify", kind=outgoing.kind, key=outgoing.key, reason=str(failure))
        return False
    except Exception as error:
        log.error("not sent", action="notify", kind=outgoing.kind, key=outgoing.key, where=where(error))
        return False
    return True
