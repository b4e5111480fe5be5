"""Mails and cards: committed before they are sent, sent until somebody has taken them. After a crash one may go out
twice; its message id or key says that it is the same."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from sync.engine import Engine
from sync.escalation.notify import (
    Card,
    Mail,
    MailSettings,
    NotifyDown,
    NotifyRefused,
    post_teams,
    send_mail,
    session_to,
)
from sync.store import Outgoing

#: first wait after a failed try; doubles with each, up to an hour
FIRST_WAIT = timedelta(minutes=1)


def flush(engine: Engine, now: datetime) -> int:
    """Sends what waits. Returns how many went out."""
    sent = 0
    for outgoing in engine.store.outgoing(now):
        if engine.stopping.is_set():
            break
        try:
            send(engine, outgoing)
        except NotifyRefused as refusal:
            engine.store.sent(outgoing.key, "refused", error=str(refusal))
            warn(outgoing, str(refusal))
        except NotifyDown as failure:
            wait = min(FIRST_WAIT * 2 ** min(outgoing.tries, 10), timedelta(hours=1))
            engine.store.sent(outgoing.key, "", retry=now + wait, error=str(failure))
            warn(outgoing, str(failure))
        else:
            engine.store.sent(outgoing.key, "sent")
            sent += 1
    return sent


def warn(outgoing: Outgoing, reason: str) -> None:
    structlog.get_logger().warning("not sent", action="notify", kind=outgoing.kind, key=outgoing.key, reason=reason)


def send(engine: Engine, outgoing: Outgoing) -> None:
    payload = outgoing.payload
    if outgoing.kind == "email":
        setup = engine.setup.mail
        if setup is None:
            raise NotifyRefused("the file has no [mail] section any more")
        settings = MailSettings(setup.server, setup.sender, setup.user, setup.password)
        send_mail(
            settings,
            Mail(tuple(payload["to"]), tuple(payload["cc"]), payload["subject"], payload["text"], outgoing.key),
        )
        return
    webhook = engine.setup.teams.get(payload["to"][0])
    if webhook is None:
        raise NotifyRefused(f"the file has no [teams.{payload['to'][0]}] any more")
    with session_to(webhook) as session:
        post_teams(webhook.url.reveal(), Card(payload["subject"], payload["text"], outgoing.key), session)
