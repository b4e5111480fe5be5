"""Posting to an address that is a secret itself: one request, no redirects, nothing of the environment, and no word of
the address in any log or exception."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import requests

from connectors.auth import Secret
from connectors.unreached import by_setting, unreached
from connectors.wire import Wire
from sync.escalation.notify import NotifyDown, NotifyRefused
from sync.setup import Hook, Webhook

#: seconds to connect, and between two bytes of the reply
TIMEOUT = (5.0, 30.0)


def posted(
    what: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    session: requests.Session | None = None,
    timeout: tuple[float, float] = TIMEOUT,
) -> tuple[int, str]:
    """Posts once; the reply's status and error code. ``what`` is how messages call the address. Raises
    ``NotifyRefused`` and ``NotifyDown``: what requests raises holds the URL, so ours is raised outside its ``except``,
    with nothing of it along."""
    failure: Exception
    try:
        with hushed(), borrowed(session) as used:
            reply = used.post(url, data=body, headers=dict(headers), timeout=timeout, allow_redirects=False)
            return reply.status_code, error_code(reply, url)
    except ValueError:  # what requests says of a URL that is none
        failure = NotifyRefused(f"{what}'s URL is none: copy it again")
    except OSError as error:
        set_wrong, unsure = by_setting(what, error), unreached(what, error) is None
        failure = NotifyDown(str(set_wrong or f"{what} cannot be reached ({type(error).__name__})"), unsure=unsure)
    raise failure


def judged(what: str, thing: str, status: int, code: str, advice: str) -> None:
    """What a reply means. Raises ``NotifyDown`` where the same may be taken later, ``NotifyRefused`` where never."""
    if 200 <= status < 300:
        return
    if status == 407:
        raise NotifyDown(f"the proxy of {what} refuses us (407): check the user and password in `proxy`")
    reply = f"HTTP {status}{f' {code}' if code else ''}"
    if status in (408, 425, 429) or status >= 500:
        raise NotifyDown(f"{what} does not take {thing}s at the moment ({reply})")
    raise NotifyRefused(f"{what} refused the {thing} ({reply}): {advice}")


@contextmanager
def borrowed(session: requests.Session | None) -> Iterator[requests.Session]:
    """The caller's session, left open, or one of our own."""
    if session is not None:
        yield session
        return
    with session_to(Webhook(Secret(""))) as own:
        yield own


def session_to(webhook: Webhook | Hook) -> requests.Session:
    """A session that goes the webhook's way and heeds no proxy, password or certificate of the environment."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", Wire())
    session.mount("https://", Wire())
    session.verify = webhook.ca or True
    if webhook.proxy is not None:
        session.proxies = {"http": webhook.proxy.reveal(), "https": webhook.proxy.reveal()}
    return session


def error_code(reply: requests.Response, url: str) -> str:
    """The one word that a reply gives as its reason. Its sentences are left out: they may quote the URL."""
    try:
        code = reply.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return ""
    return code if isinstance(code, str) and re.fullmatch(r"[A-Za-z]{3,60}", code) and code not in url else ""


#: whether this thread is posting to a webhook
posting: ContextVar[bool] = ContextVar("posting", default=False)


@contextmanager
def hushed() -> Iterator[None]:
    """While it lasts urllib3 logs nothing in this thread: at DEBUG it would log the path, which is the secret."""
    token = posting.set(True)
    try:
        yield
    finally:
        posting.reset(token)


def not_posting(record: logging.LogRecord) -> bool:
    return not posting.get()


logging.getLogger("urllib3.connectionpool").addFilter(not_posting)
