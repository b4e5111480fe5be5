"""Seeded faults: which requests fail, and how."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from sandbox.wire import Answer, Request

#: the tracker does not see the request
BEFORE = frozenset(["answer", "reset_before"])
#: these strike only a request for a later page of a listing
PAGED = frozenset(["page_again", "page_shift"])
KINDS = BEFORE | PAGED | frozenset(
    "answer_after reset_after reset_within cut garbage noise html mistyped bom gzip gzip_unsaid gzip_false headers "
    "delay delay_after act stripped".split()
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    """What to do to the requests that match.

    ``tracker``, ``method`` (alternatives parted by ``|``), ``path`` (a regular expression searched in the path) and
    ``naming`` (a word in the path, the query or the body) select; ``nth`` picks those calls of the matching ones
    (1-based), ``chance`` a seeded share of them; ``times`` is how often it strikes at the most (0: no bound). ``kind``
    is one of

    - ``answer``: ``answer`` is sent, the request is not handled;
    - ``answer_after``: the request takes effect, ``answer`` is sent (a gateway that gave up waiting);
    - ``reset_before``: the connection is reset, the request is not handled;
    - ``reset_after``: the request takes effect, then the connection is reset;
    - ``reset_within``: the request takes effect, the connection is reset in the middle of the answer;
    - ``cut``: the request takes effect, the answer ends early and the connection closes;
    - ``garbage``: the request takes effect, the body is HTML under the original status and content type;
    - ``noise``: the request takes effect, the body is random bytes of the same length;
    - ``html``: the request takes effect, the answer is a page of HTML (``answer``'s body, if there is one);
    - ``mistyped``: the request takes effect, the content type is ``content_type``, or missing where that is empty;
    - ``bom``: the request takes effect, a byte order mark stands before the body;
    - ``gzip``: the body is compressed; ``gzip_unsaid``: it is, and no header says so; ``gzip_false``: it is not, and a
      header says that it is;
    - ``headers``: the request takes effect; only the headers below are added;
    - ``delay``, ``delay_after``: ``seconds`` of real time pass before the request takes effect, or before it is
      answered;
    - ``page_again``: the page before is answered once more;
    - ``page_shift``: from here on the listing stands ``rows`` further down, as when that many rows came in front of
      it, or further up where ``rows`` is negative (offset paging only);
    - ``act``: ``act`` is called first: somebody works between two requests;
    - ``stripped``: of each row of the answer whose id is ``about`` nothing is left but the id, and of a journal's entry
      whose it is: a poisoned item.

    ``cut`` and ``reset_within`` leave ``keep`` of the body's bytes (a share, 0 to 1), or ``at`` bytes exactly; with
    ``whole`` they count from the status line on. Content-Length is that of the whole body unless ``honest``.

    Of whatever is sent, ``headers`` are set, and Retry-After where ``retry_after`` (seconds; may be a fraction or
    negative) is given: as a number, or with ``as_date`` as a date by the tracker's clock.
    """

    kind: str
    tracker: str = ""
    method: str = ""
    path: str = ""
    nth: tuple[int, ...] = ()
    chance: float = 1.0
    times: int = 0
    answer: Answer | None = None
    keep: float = 0.5
    seconds: float = 0.0
    at: int | None = None
    whole: bool = False
    honest: bool = False
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    as_date: bool = False
    rows: int = 1
    act: Callable[[], object] | None = None
    naming: str = ""
    about: str = ""
    seen: int = 0
    struck: int = 0
    place: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such kind of fault: {self.kind!r}")

    def matches(self, tracker: str, request: Request) -> bool:
        return (
            (not self.tracker or self.tracker == tracker)
            and (not self.method or request.method in self.method.split("|"))
            and (not self.path or bool(re.search(self.path, request.path, re.IGNORECASE)))
            and (not self.naming or self.named_by(request))
        )

    def named_by(self, request: Request) -> bool:
        said = " ".join((request.path, *(text for texts in request.query.values() for text in texts)))
        words = f"{said} {request.body.decode(errors='replace')}"
        return bool(re.search(rf"(?<!\d){re.escape(self.naming)}(?!\d)", words))

    def strikes(self, draw: Callable[[], float]) -> bool:
        """Counts a matching call and says whether this one is struck."""
        self.seen += 1
        if self.times and self.struck >= self.times:
            return False
        if self.nth and self.seen not in self.nth:
            return False
        if not self.nth and self.chance < 1 and draw() >= self.chance:
            return False
        self.struck += 1
        return True


class Faults:
    """The faults in force.

    The same seed and the same requests give the same faults: whether a chance strikes hangs on the rule, the tracker,
    the method, the path and the how-manieth such request it is, and not on what other requests come between.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.rules: list[Fault] = []
        self.paused = False
        self.added = 0
        self.calls: Counter[tuple[str, str, str]] = Counter()
        self.lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        with self.lock:
            fault.place, self.added = self.added, self.added + 1
            self.rules.append(fault)
        return fault

    def clear(self) -> None:
        self.rules.clear()

    @property
    def paging(self) -> bool:
        """Whether a rule is about pages, so that pages must be remembered."""
        return any(rule.kind in PAGED for rule in self.rules)

    def pick(
        self, tracker: str, request: Request, fits: Callable[[str, Request], bool] = lambda kind, request: True
    ) -> Fault | None:
        """The first rule that strikes this request. ``fits``: whether a kind about pages can be done to it."""
        if self.paused or not self.rules:
            return None
        with self.lock:
            return self.first(self.rules, tracker, request, fits)

    def first(
        self, rules: Iterable[Fault], tracker: str, request: Request, fits: Callable[[str, Request], bool]
    ) -> Fault | None:
        call = (tracker, request.method, request.path)
        self.calls[call] += 1
        for rule in rules:
            if not rule.matches(tracker, request) or (rule.kind in PAGED and not fits(rule.kind, request)):
                continue
            if rule.strikes(lambda place=rule.place: self.drawn(place, call)):  # type: ignore[misc]
                return rule
        return None

    def drawn(self, place: int, call: tuple[str, str, str]) -> float:
        """A number from 0 to 1, evenly spread, for a rule and a request."""
        text = "\n".join((str(self.seed), str(place), *call, str(self.calls[call])))
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64
