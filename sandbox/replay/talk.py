"""What was said and what arrived: each remark of a person must have one copy on every item a path leads to."""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.jira.wiki import ENTITY
from sandbox.replay.acts import Act
from sandbox.replay.histories import Spoken

_BANNER = re.compile(r"^(?P<who>.+) · lockstep (?P<token>[A-Z2-7]{13})\.[A-Z2-7]{8}(?: (?P<part>\d+)/(?P<parts>\d+))?$")
#: what the bot says of its own accord: a word that did not stand
_NOTE = re.compile(r"^(?P<what>\w+) (?:was changed on two sides at once|is put back to)")
#: and that the work was opened again while this item cannot be
_BARRED = re.compile(r"^The work on \S+ was opened again\b.* cannot be opened again\.$")
BARRED = "barred"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def plain(side: str, text: str) -> str:
    """A stored text as people read it; Azure DevOps stores HTML, Jira wiki markup, whose entities stand for signs."""
    if side == "pbi":
        text = html.unescape(re.sub(r"<(?:br|/?div|/?p|/?pre)\b[^<>]*>", "\n", text))
    if side == "defect":
        text = ENTITY.sub(lambda found: html.unescape(found[0]), text)
    return text.strip()


def words(text: str) -> tuple[str, ...]:
    """Every word in order, control characters gone."""
    return tuple(re.findall(r"\w+", _CONTROL.sub("", text)))


def letters(text: str) -> str:
    """Every word in order run together, so that a long one that was cut in two is still itself."""
    return "".join(words(text))


@dataclass(frozen=True, slots=True)
class Copy:
    """A remark of the bot's: its banner's token, who it says spoke, and what all its parts say."""

    token: str
    who: str
    channel: str
    text: str
    parts: int
    note: str = ""

    @property
    def letters(self) -> str:
        return letters(self.text)

    @property
    def words(self) -> tuple[str, ...]:
        return words(self.text)


@dataclass(frozen=True, slots=True)
class Slip:
    """Something wrong: ``kind`` is lost, doubled, phantom or leaked."""

    kind: str
    text: str


def copies(side: str, spoken: Sequence[Spoken]) -> Iterator[Copy | Slip]:
    """The bot's remarks on one item, parts put together."""
    whole: dict[tuple[str, str, str], dict[int, str]] = defaultdict(dict)
    wanted: dict[tuple[str, str, str], int] = {}
    for one in spoken:
        text = plain(side, one.text) if one.ours else ""
        head, _, body = text.partition("\n")
        banner = _BANNER.match(head.strip())
        if not one.ours:
            continue
        if banner is None:
            yield Slip("phantom", f"a remark of the bot without a banner: {text[:60]!r}")
            continue
        key, part = (banner["token"], banner["who"], one.channel), int(banner["part"] or 1)
        if part in whole[key]:
            yield Slip("doubled", f"part {part} of {banner['who']}: {body[:60]!r}")
        whole[key][part] = body
        wanted[key] = int(banner["parts"] or 1)
    for key, parts in whole.items():
        if len(parts) < wanted[key]:
            yield Slip("lost", f"{wanted[key] - len(parts)} of {wanted[key]} parts of {key[1]}")
        text = "\n".join(parts[n] for n in sorted(parts))
        yield Copy(key[0], key[1], key[2], text, len(parts), noted(text))


def noted(text: str) -> str:
    """What a note of the bot's own is about; nothing where it is none."""
    note = _NOTE.match(text)
    return note["what"] if note else BARRED if _BARRED.match(text) else ""


def judged(
    side: str, spoken: Sequence[Spoken], due: Iterable[tuple[Act, str]], secret: Mapping[str, Act]
) -> Iterator[Slip | Copy]:
    """Holds the copies on one item against what is due there (each with its channel). ``secret`` are the remarks that
    may stand nowhere else, by their letters. Yields slips, and the bot's own notes."""
    want: Counter[tuple[str, str]] = Counter()
    origin: dict[tuple[str, str], Act] = {}
    for act, channel in due:
        key = (letters(act.text), channel)
        want[key] += 1
        origin[key] = act
    for one in copies(side, spoken):
        if isinstance(one, Slip) or one.note:
            yield one
            continue
        said = one.letters
        if said in secret:
            yield Slip("leaked", f"{secret[said].channel} of {one.who}: {one.text[:60]!r}")
        elif want[said, one.channel] > 0:
            want[said, one.channel] -= 1
        else:
            kind = "doubled" if (said, one.channel) in origin else "phantom"
            yield Slip(kind, f"{one.who} in {one.channel}: {one.text[:60]!r}")
    for key, count in want.items():
        if count > 0 and key[0]:
            act = origin[key]
            yield Slip("lost", f"{act.by} on {act.side} {act.item} at {act.at:%Y-%m-%d %H:%M:%S}: {act.text[:60]!r}")
