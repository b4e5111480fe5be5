"""Recipients as the admin writes them: each word is known, and leads to somebody or to the fallback."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mappings.roster import OVERSIGHT, Word, word_of
from sync.config.desk import Desk
from sync.config.problems import KeyPath, choice, nearest, quoted
from sync.config.values import Wrong, address


def recipients(desk: Desk, at: KeyPath, words: Sequence[str], *, mailed: bool = True) -> tuple[str, ...]:
    """The words of a list, each once. ``mailed``: each must lead to an e-mail address, now or by the fallback."""
    for place, text in enumerate(words):
        recipient(desk, (*at, place), text, mailed)
    return tuple(dict.fromkeys(words))


def recipient(desk: Desk, at: KeyPath, text: str, mailed: bool) -> None:
    """One word: says what is wrong with it, and asks for the fallback where it may mean nobody."""
    word = word_of(text, desk.names["parties"], desk.roster)
    if word is None:
        unknown(desk, at, text)
    elif word.kind == "address":
        well_formed(desk, at, text)
    elif word.kind == "party":
        reachable(desk, at, word, mailed)
    elif word.kind == "person" and mailed and not any(one.email for one in desk.roster.named(word.name)):
        desk.report.wrong(at, f"{word.name} has no e-mail address in the roster", "write it there, or name another")
    elif word.kind == "oversight":
        watched(desk, at, mailed)
    elif word.field:
        telling(desk, at, word)
        role_known(desk, at, word)
    if word is not None and mailed and word.kind in ("role", "field"):
        wants_fallback(desk)


def wants_fallback(desk: Desk) -> None:
    """Said once, where it is missing: a role or a field may mean nobody."""
    at = ("people", "fallback")
    if not desk.file.people.fallback and not any(one.key == "people.fallback" for one in desk.report.problems):
        what = "is missing: a role or a field may mean nobody"
        desk.report.wrong(at, what, 'write fallback = ["desk@example.org"] under [people]')


def unreadable(desk: Desk) -> bool:
    """Whether names may be missing only because the roster could not be read, or a column of it."""
    name = Path(desk.file.people.roster).name
    headless = any(one.file == name and one.line == 1 for one in desk.report.problems)
    return bool(name) and (headless or not desk.roster.people)


def telling(desk: Desk, at: KeyPath, word: Word) -> None:
    """A field that decides who is meant holds names: a text, or a list of them."""
    known = desk.known("fields", word.field, at) and desk.file.fields.get(word.field)
    if known and known.type not in ("text", "list"):
        what = f"the field {word.field} is of type {known.type}, which names nobody"
        desk.report.wrong(at, what, "name a field of type text or list")


def unknown(desk: Desk, at: KeyPath, text: str) -> None:
    roles = dict.fromkeys(one.role for one in desk.roster.people if one.role)
    names = dict.fromkeys(one.name for one in desk.roster.people if one.name)
    if unreadable(desk):
        return
    role, _, field = text.rpartition(" of ")
    if "{" in text or "}" in text:
        what = f'"{text}" is not a recipient'
        desk.report.wrong(at, what, 'write "{field}" or "role of {field}", with a declared field')
    elif role and field in desk.names["fields"]:
        what = f'"{text}" means nobody: {field} is a field'
        desk.report.wrong(at, what, f'write "{role} of {{{field}}}", so that its value decides')
    elif not desk.roster.people:
        desk.known("parties", text, at)
    else:
        near = nearest(text, (*desk.names["parties"], *roles, *names))
        all_of = f"parties: {quoted(desk.names['parties'])}" + (f"; roles: {quoted(roles)}" if roles else "")
        all_of = f"({all_of})"
        instead = f'write "{near}" {all_of}' if near else f"name an address, a party, a role or a person {all_of}"
        desk.report.wrong(at, f'there is no party, role or person "{text}"', instead)


def role_known(desk: Desk, at: KeyPath, word: Word) -> None:
    roles = tuple(dict.fromkeys(one.role for one in desk.roster.people if one.role))
    if not word.name or unreadable(desk) or desk.roster.in_role(word.name):
        return
    instead = choice(word.name, roles, "roles") if roles else 'write roster = "people.csv" under [people], with roles'
    desk.report.wrong(at, f'nobody in the roster has the role "{word.name}"', instead)


def well_formed(desk: Desk, at: KeyPath, text: str) -> None:
    try:
        address(text)
    except Wrong as wrong:
        desk.report.wrong(at, f'"{text}" {wrong.what}', wrong.instead)


def reachable(desk: Desk, at: KeyPath, word: Word, mailed: bool) -> None:
    said = desk.file.parties.get(word.name)
    listed = any(one.email for one in desk.roster.of_party(word.name))
    if said and mailed and not said.recipients.email and not listed and not unreadable(desk):
        instead = 'write recipients = { email = ["name@example.org"] } under the party'
        desk.report.wrong(at, f'the party "{word.name}" has no e-mail address', instead)


def watched(desk: Desk, at: KeyPath, mailed: bool) -> None:
    """Oversight is told in copy, and only where the roster has any."""
    if "cc" not in at:
        desk.report.wrong(at, f"{OVERSIGHT} only ever hears in copy", f'write cc = ["{OVERSIGHT}"] instead')
    elif mailed and not any(one.email for one in desk.roster.oversight) and not unreadable(desk):
        desk.report.wrong(at, "nobody in the roster is of oversight", "write yes in its column oversight")
