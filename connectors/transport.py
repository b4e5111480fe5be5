"""The one HTTP adapter under all three client libraries: pooling, time-outs, rest, accounting and redaction.

Mounted into pysnow's session, jira's session and every msrest session. It never retries (a library that re-sends a
POST makes a second issue) and it keeps the last answer per thread, because azure-devops hides status and headers.
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

import requests
import structlog
import tenacity
from urllib3.util.retry import Retry

from connectors.base import Busy, Clock, Down, Failure, LockedOut, Unsure
from connectors.leave import ask_leave
from connectors.unreached import unreached
from connectors.wire import Wire

Result = TypeVar("Result")

#: longest rest taken inside one read, in seconds; a longer one is raised as Busy, so that the other trackers go on
PATIENCE = 5.0
#: rest after a 429 or 503 that names none, in seconds
DEFAULT_REST = 10.0
#: longest rest kept, in seconds: the trackers' own limits count by the hour, so a longer one is a slip
LONGEST_REST = 86_400.0
READ_TRIES = 4
#: some servers and gateways put it before their JSON (recorded for Azure DevOps, apis.md 3.4)
BOM = b"\xef\xbb\xbf"

_VARIABLE = re.compile(r"/(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}|[A-Z][A-Z0-9_]+-\d+|\d+)(?=/|$)")


@dataclass
class Ledger:
    """What was sent: a count per method and path, ids folded to ``*``. Paths only, never queries or bodies."""

    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, method: str, url: str) -> None:
        path = re.sub(r"^[a-z]+://[^/]+", "", url).split("?")[0]
        with self.lock:
            self.counts[f"{method} {_VARIABLE.sub('/*', path)}"] += 1

    def total(self) -> int:
        with self.lock:
            return sum(self.counts.values())


class PlainSession(requests.Session):
    """A session that does what it is told and no more: the environment's proxies, netrc and CA bundle would silently
    beat what the admin's file says, and a redirect turns a POST into a GET of another page."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class Transport(Wire):
    """An adapter for one tracker. ``clock`` tells when a rest is over; ``timeout`` is (connect, read) in seconds."""

    def __init__(
        self,
        tracker: str,
        clock: Clock,
        *,
        timeout: tuple[float, float] = (10.0, 60.0),
        verify: bool | str = True,
        proxies: dict[str, str] | None = None,
        rest_on_success: bool = False,
    ) -> None:
        self.tracker = tracker
        self.clock = clock
        self.timeout = timeout
        self.verify = verify
        self.proxies = proxies or {}
        self.rest_on_success = rest_on_success
        self.ledger = Ledger()
        self.resting: datetime | None = None
        self.asked = datetime.min.replace(tzinfo=UTC)
        self.tell_rest: Callable[[datetime, datetime], None] = lambda until, asked: None
        self.noting = threading.Lock()
        self.per_thread = threading.local()
        super().__init__(pool_connections=8, pool_maxsize=32, max_retries=Retry(0, read=False))

    def session(self) -> requests.Session:
        """A plain session over this adapter."""
        session = PlainSession()
        self.mount(session)
        return session

    def mount(self, session: requests.Session) -> None:
        """Puts this adapter under an existing session, which from now on keeps no cookies: calls that share a session
        of ServiceNow queue behind each other and are answered 202, and a cookie outlives the token that earned it."""
        session.mount("http://", self)
        session.mount("https://", self)
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """One try. Raises ``Busy`` without sending while the tracker rests, ``Down`` where the request was certainly
        not received, and ``LockedOut`` where the proxy refuses us; any other transport error is passed on for ``read``
        and ``write`` to name."""
        self.refuse_while_resting()
        self.per_thread.last = None
        if getattr(self.per_thread, "writing", False):
            self.take_leave()
        self.ledger.add(request.method or "", request.url or "")
        # the libraries set names of their own
        request.headers["User-Agent"] = "Lockstep"
        options.update(timeout=self.timeout, verify=self.verify, proxies=self.proxies)
        try:
            response = super().send(request, **options)
        except OSError as error:
            failure = unreached(self.tracker, error)
            if failure is None:
                raise
            raise failure from None
        if response.status_code == 407:
            raise LockedOut(f"the proxy of {self.tracker} refuses us (407): check the user and password in `proxy`")
        self.per_thread.last = response
        self.note_rest(response)
        return response

    def take_leave(self) -> None:
        """Raises where this process may write no more, and keeps what was raised: client libraries turn it into an
        error of their own, which would read as a write that may have been applied."""
        try:
            ask_leave()
        except Exception as barred:
            self.per_thread.barred = barred
            raise

    def refuse_while_resting(self) -> None:
        now = self.clock.now()
        with self.noting:
            if self.resting and now < self.asked:
                # our clock was set back: else the rest would last for as long as it had been wrong
                self.resting, self.asked = now + (self.resting - self.asked), now
            until = self.resting
        if until and now < until:
            raise Busy(f"{self.tracker} asked for rest until {until:%H:%M:%S} UTC", until)

    def note_rest(self, response: requests.Response) -> None:
        """Azure DevOps asks for rest on a 200 too (rate-limits.md)."""
        now = self.clock.now()
        asked = retry_after(response, now)
        if response.status_code in (429, 503):
            asked = asked or now + timedelta(seconds=DEFAULT_REST)
        elif not self.rest_on_success:
            return
        if asked and self.rest(asked, now):
            self.tell_rest(asked, now)

    def rest(self, until: datetime, asked: datetime) -> bool:
        """Nothing is sent before ``until``, as was asked for at ``asked``. Whether that is longer than before: of two
        threads' answers the one that asks for longer stands, whichever comes last."""
        with self.noting:
            longer = self.resting is None or until > self.resting
            self.resting, self.asked = max((until, asked), (self.resting or until, self.asked))
        return longer

    @property
    def last(self) -> requests.Response | None:
        """This thread's last answer."""
        return getattr(self.per_thread, "last", None)

    def read(self, call: Callable[[], Result], classify: Callable[[Exception | None], Failure | None]) -> Result:
        """Runs a read, naming what goes wrong by ``classify(error)`` (``None`` in, for an answer without an
        exception). Repeats it a few times on ``Down`` and on a rest short enough to wait for."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(worth_repeating(self.clock)),
            wait=self.pause,
            stop=tenacity.stop_after_attempt(READ_TRIES),
            sleep=self.clock.sleep,
            reraise=True,
        )
        return retrying(lambda: named(call, classify, self.tracker, Down))

    def write(self, call: Callable[[], Result], classify: Callable[[Exception | None], Failure | None]) -> Result:
        """Runs a write once. An answer that was lost on the way is ``Unsure``; what keeps us from writing at all is
        raised as it is."""
        self.per_thread.writing, self.per_thread.barred = True, None
        try:
            return named(call, classify, self.tracker, Unsure)
        except Failure:
            if self.per_thread.barred is not None:
                raise self.per_thread.barred from None
            raise
        finally:
            self.per_thread.writing = False

    def pause(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Busy):
            return max(0.0, (error.until - self.clock.now()).total_seconds()) + 0.05
        return float(tenacity.wait_random_exponential(multiplier=0.3, max=PATIENCE)(state))


def worth_repeating(clock: Clock) -> Callable[[BaseException], bool]:
    def judge(error: BaseException) -> bool:
        if isinstance(error, Busy):
            return (error.until - clock.now()).total_seconds() <= PATIENCE
        return isinstance(error, Down)

    return judge


def named(
    call: Callable[[], Result],
    classify: Callable[[Exception | None], Failure | None],
    tracker: str,
    lost: type[Failure],
) -> Result:
    """Runs ``call`` and turns whatever comes out into a named failure; ``lost`` names an answer that never came."""
    try:
        result = call()
    except Failure:
        raise
    except Exception as error:
        structlog.get_logger().debug("call failed", tracker=tracker, error=type(error).__name__)
        failure = classify(error)
        if failure is None:
            failure = lost(f"{tracker} gave no usable answer ({plain_reason(error)})")
        raise failure from None
    failure = classify(None)
    if failure is not None:
        raise failure
    return result


@contextmanager
def understood(tracker: str) -> Iterator[None]:
    """Reading what is not of the documented shape is ``Down``."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Down(f"{tracker} sent something of an unknown shape ({type(error).__name__})") from None


def plain_reason(error: Exception) -> str:
    """A short reason without addresses, queries or bodies: those may hold secrets."""
    reason = getattr(error.args[0] if error.args else None, "reason", None) or error
    words = {
        "ReadTimeout": "it took too long to answer",
        "SSLError": "the encrypted connection broke",
        "ChunkedEncodingError": "the answer was cut off",
        "ContentDecodingError": "the answer cannot be unpacked",
        "ConnectionError": "the connection broke",
        "JSONDecodeError": "the answer is not JSON",
        "DeserializationError": "the answer is not JSON",
    }
    return words.get(type(reason).__name__, type(reason).__name__)


def retry_after(response: requests.Response, now: datetime) -> datetime | None:
    """``Retry-After`` as an instant of our clock: seconds (a fraction too) or an HTTP date, which is read against
    the answer's own ``Date``, because the tracker's clock is not ours."""
    text = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = seconds_until(text, response, now)
    return None if math.isnan(seconds) else now + timedelta(seconds=min(max(0.0, seconds), LONGEST_REST))


def seconds_until(text: str, response: requests.Response, now: datetime) -> float:
    """How far an HTTP date lies ahead; NaN where it is none."""
    try:
        then = parsedate_to_datetime(text)
        sent = parsedate_to_datetime(response.headers["Date"]) if "Date" in response.headers else now
    except (ValueError, TypeError):
        return math.nan
    return (aware(then) - aware(sent)).total_seconds()


def aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
