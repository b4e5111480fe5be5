"""Mails and cards: committed before they are sent, shared out so that people are spared (``digest``), sent until
somebody has taken them. After a crash one may go out twice; its message id or key says that it is the same."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import structlog

from sync.engine import Engine
from sync.escalation.cards import Card, post_teams
from sync.escalation.digest import Line, Wanted, digest, overslept, share_out, zone_at
from sync.escalation.hooks import Event, post_event
from sync.escalation.notify import Facts, Mail, MailSettings, NotifyDown, NotifyRefused, address_of, send_mail
from sync.escalation.posting import session_to
from sync.store import Outgoing, Parcel

#: first wait after a failed try; doubles with each, up to an hour
FIRST_WAIT = timedelta(minutes=1)
#: held by whoever sends: a pass, or the watch over a pass that hangs
SENDING = threading.Lock()


def flush(engine: Engine, now: datetime) -> int:
    """Shares out what was committed and sends what is due. Returns how many messages went out."""
    with SENDING:
        let_sleep(engine, now)
        wanted, pasts = engine.store.unshared(now)
        if wanted:
            engine.store.share(share_out(engine.setup, wanted, pasts, now))
        sent = 0
        down: set[str] = set()
        for parcel in engine.store.parcels(now):
            if engine.stopping.is_set():
                break
            if channel(parcel) not in down:
                sent += dispatch(engine, parcel, now, down)
        return sent


def let_sleep(engine: Engine, now: datetime) -> None:
    """What was due before quiet hours and was not sent then, because nobody ran, waits for their end."""
    if engine.setup.notices.quiet_from == engine.setup.notices.quiet_to:
        return
    messages = [message for parcel in engine.store.parcels(now) for message in parcel.messages]
    late = [one for message in messages for one in message.recipients if overslept(engine.setup, one, now)]
    if late:
        engine.store.put_off(late)


def channel(parcel: Parcel) -> str:
    """The way a parcel goes: the mail server, or one webhook."""
    first = parcel.messages[0]
    return first.kind if first.kind == "email" else f"{first.kind} {parcel.recipients[0].recipient}"


def dispatch(engine: Engine, parcel: Parcel, now: datetime, down: set[str]) -> bool:
    """Sends one parcel, once, and keeps how that went; whether anybody got it. What cannot go out now is shared out
    anew when it is tried again, so that no flood follows an outage; the others that go the same way wait for the next
    pass, so that a pass does not wait for each of them."""
    who = [one for message in parcel.messages for one in message.recipients]
    maybe = any(one.begun for one in who)
    engine.store.sending(who)
    try:
        for message in opened(engine, parcel):
            send(engine, message)
            maybe = True  # the first card of a digest of several
    except NotifyRefused as refusal:
        return refused(engine, parcel, refusal, now)
    except NotifyDown as failure:
        engine.store.delivered(who, "", again(parcel, now), str(failure), taken=maybe or failure.unsure)
        down.add(channel(parcel))
        warn(parcel, str(failure))
        return False
    engine.store.delivered(who, "sent", now)
    return True


def refused(engine: Engine, parcel: Parcel, refusal: NotifyRefused, now: datetime) -> bool:
    """Keeps who is never to get a parcel, who may get it later and who got it; whether anybody did."""
    who = [one for message in parcel.messages for one in message.recipients]
    later = [one for one in who if address(one) in refusal.later]
    all_lost = not (refusal.whom or refusal.later)
    lost = [one for one in who if all_lost or address(one) in refusal.whom]
    taken = [one for one in who if one not in (*lost, *later)]
    engine.store.delivered(lost, "refused", now, str(refusal))
    engine.store.delivered(later, "", again(parcel, now), str(refusal))
    engine.store.delivered(taken, "sent", now)
    warn(parcel, str(refusal))
    return bool(taken)


def again(parcel: Parcel, now: datetime) -> datetime:
    """When a parcel is tried again: later after each try."""
    tries = max(message.tries for message in parcel.messages)
    return now + min(FIRST_WAIT * 2 ** min(tries, 10), timedelta(hours=1))


def address(one: Wanted) -> str:
    """The bare address of a mail's recipient."""
    return address_of(one.recipient).addr_spec if one.kind == "email" else one.recipient


def opened(engine: Engine, parcel: Parcel) -> list[Outgoing]:
    """A parcel as the messages that are sent: the notice itself for those who get it now, or a digest."""
    first, who = parcel.messages[0], parcel.recipients
    if len(parcel.messages) == 1:
        to = [one.recipient for one in who if not one.cc]
        cc = [one.recipient for one in who if one.cc]
        return [with_payload(first, first.key, {**first.payload, "to": to or cc, "cc": cc if to else []})]
    lines = [line_of(message.payload) for message in parcel.messages]
    zone = zone_at(engine.setup, *who[0].place)
    pages = digest(engine.setup.instance, lines, zone, card=first.kind != "email")
    return [
        with_payload(first, f"{parcel.key}:{number}", {"to": [who[0].recipient], "cc": [], "subject": s, "text": text})
        for number, (s, text) in enumerate(pages, 1)
    ]


def with_payload(message: Outgoing, key: str, payload: dict[str, Any]) -> Outgoing:
    return Outgoing(key, message.link, message.kind, payload, message.recipients, message.tries)


def line_of(payload: Any) -> Line:
    """What a digest says of a message."""
    subject = payload["subject"]
    if not payload.get("about"):
        return Line("", subject)
    items, rule, step, since = payload["about"]
    return Line(items, subject, rule, step, datetime.fromisoformat(since))


def warn(parcel: Parcel, reason: str) -> None:
    kind = parcel.messages[0].kind
    structlog.get_logger().warning("not sent", action="notify", kind=kind, key=parcel.key, reason=reason)


def send(engine: Engine, outgoing: Outgoing) -> None:
    """One attempt. Raises ``NotifyRefused`` or ``NotifyDown``."""
    if outgoing.kind == "email":
        send_letter(engine, outgoing)
    elif outgoing.kind == "webhook":
        send_event(engine, outgoing)
    else:
        send_card(engine, outgoing)


def send_letter(engine: Engine, outgoing: Outgoing) -> None:
    setup, said = engine.setup.mail, outgoing.payload
    if setup is None:
        raise NotifyRefused("the file has no [mail] section any more")
    mail = Mail(
        tuple(said["to"]),
        tuple(said["cc"]),
        said["subject"],
        said["text"],
        outgoing.key,
        said.get("thread", ""),
        said.get("first", False),
        pairs(said, "facts"),
        tuple((key, url) for key, url in pairs(said, "links") if url),
    )
    send_mail(MailSettings(setup.server, setup.sender, setup.user, setup.password), mail)


def send_card(engine: Engine, outgoing: Outgoing) -> None:
    said = outgoing.payload
    webhook = engine.setup.teams.get(said["to"][0])
    if webhook is None:
        raise NotifyRefused(f"the file has no [teams.{said['to'][0]}] any more")
    card = Card(said["subject"], said["text"], outgoing.key, pairs(said, "facts"), pairs(said, "links"))
    with session_to(webhook) as session:
        post_teams(webhook.url.reveal(), card, session)


def send_event(engine: Engine, outgoing: Outgoing) -> None:
    said = outgoing.payload
    name = said["to"][0]
    hook = engine.setup.webhooks.get(name)
    if hook is None:
        raise NotifyRefused(f"the file has no [webhooks.{name}] any more")
    event = Event(said["subject"], said["text"], outgoing.key, said.get("data") or {})
    with session_to(hook) as session:
        post_event(name, hook.url.reveal(), hook.secret, event, session)


def pairs(said: Any, name: str) -> Facts:
    """Facts or links as they were committed; none in what was committed before there were any."""
    return tuple((one, other) for one, other in said.get(name) or ())
