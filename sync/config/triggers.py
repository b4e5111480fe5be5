"""What sets a rule off: exactly one thing, of names that the file declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mappings.calendar import Span
from sync.config.desk import Desk
from sync.config.problems import KeyPath, nearest
from sync.config.tables.rules import RuleTable
from sync.escalation.words import ACK, BUILT_IN

#: every trigger with an example of it
TRIGGERS: Mapping[str, str] = {
    "quiet": 'quiet = "2d"',
    "over": "over = true",
    "concern": "concern = true",
    "said": 'said = ["research"]',
    "enters": 'enters = ["Fixing"]',
    "changes": 'changes = ["due"]',
    "opens": 'opens = ["defect"]',
}
#: triggers that are somebody's doing, so that ``by`` may ask whose
SOMEBODYS = ("concern", "said", "enters", "changes")
#: triggers that a terminal stage stops unless ``resolved``
STOPPED = ("quiet", "over", "concern")


def check_trigger(desk: Desk, at: KeyPath, said: RuleTable) -> None:
    """Tells everything that is wrong with what sets the rule off."""
    kinds = [kind for kind in TRIGGERS if getattr(said, kind)]
    written = said.model_fields_set & set(TRIGGERS)
    if len(kinds) != 1 and not any(desk.report.doubts((*at, key)) for key in TRIGGERS):
        what = "needs something that sets it off" if not kinds else f"is set off by one thing, not by {joined(kinds)}"
        desk.report.wrong(at, f"a rule {what}", f"write one of {', '.join(TRIGGERS.values())}")
    if "concern" in written and not said.concern:
        desk.report.wrong((*at, "concern"), "false says nothing", "leave the key out, or write concern = true")
    check_over(desk, at, said)
    desk.known_all("stages", said.enters, (*at, "enters"))
    check_changes(desk, (*at, "changes"), said.changes)
    check_opens(desk, (*at, "opens"), said.opens)
    for key, words in (("said", said.said), ("until", said.until)):
        check_words(desk, (*at, key), words)
    check_until(desk, (*at, "until"), said.until)
    if len(kinds) == 1:
        check_spans(desk, at, said)
        check_beside(desk, at, said, kinds[0])


def joined(kinds: Sequence[str]) -> str:
    return " and ".join(kinds)


def check_over(desk: Desk, at: KeyPath, said: RuleTable) -> None:
    targets = any(stage.target for stage in desk.file.stages) or desk.report.doubts(("stages",))
    if said.over is True and not targets:
        desk.report.wrong((*at, "over"), "no stage has a target", 'write target = "1d" in a stage, or over = "2d"')
    for key, span in (("quiet", said.quiet), ("over", said.over)):
        if span == Span():
            what = "waits for no time: every movement would be told at once"
            desk.report.wrong((*at, key), what, f'write how long, such as {key} = "2d"')


def check_changes(desk: Desk, at: KeyPath, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if name == "stage" and name not in desk.names["fields"]:
            desk.report.wrong((*at, place), "the stage is no field", 'write enters = ["..."] with the stages')
        else:
            desk.known("fields", name, (*at, place))


def check_opens(desk: Desk, at: KeyPath, sides: Sequence[str]) -> None:
    routes = desk.file.routes
    opened = {route.open for route in routes} | {route.from_ for route in routes if route.follow or route.match}
    for place, side in enumerate(sides):
        if desk.known("sides", side, (*at, place)) and side not in opened:
            what = f"no route opens a counterpart on {side}, so that this never happens"
            desk.report.warn((*at, place), what, f'write a route with open = "{side}"')


def check_words(desk: Desk, at: KeyPath, words: Sequence[str]) -> None:
    for place, word in enumerate(words):
        if word in BUILT_IN:
            instead = "leave it out: it ends every rule's episode" if word == ACK else "name another word"
            desk.report.wrong((*at, place), f'"{word}" is a word of Lockstep\'s own', instead)


def check_until(desk: Desk, at: KeyPath, words: Sequence[str]) -> None:
    """A word that ends an episode may be named here alone; one that is nearly another rule's is perhaps that one."""
    said = tuple(dict.fromkeys(word for rule in desk.file.rules for word in rule.said))
    for place, word in enumerate(words):
        near = nearest(word, said)
        if near and word not in said and word not in BUILT_IN:
            desk.report.warn((*at, place), f'no rule is set off by "{word}"', f'write "{near}" if that is meant')


def check_spans(desk: Desk, at: KeyPath, said: RuleTable) -> None:
    """``{quiet}`` and ``{over}`` are the span of a rule that has one."""
    if said.quiet is not None or said.over is not None:
        return
    for place, step in enumerate(said.steps):
        texts: dict[KeyPath, str] = {("text",): step.text}
        texts |= {("say", "text"): step.say.text} if step.say else {}
        texts |= {("email", "subject"): step.email.subject, ("email", "text"): step.email.text} if step.email else {}
        found = [(key, word) for key, text in texts.items() for word in ("quiet", "over") if f"{{{word}}}" in text]
        for key, word in found:
            if word not in desk.names["fields"]:
                what = f"{{{word}}} is the span of a rule with quiet or over, and this one waits for no span"
                desk.report.wrong((*at, "steps", place, *key), what, "remove it")


def check_beside(desk: Desk, at: KeyPath, said: RuleTable, kind: str) -> None:
    """The keys that only go with some triggers."""
    if said.resolved and kind not in STOPPED:
        what = f"a terminal stage never stops a rule with {kind}"
        desk.report.wrong((*at, "resolved"), what, f"leave it out: it is for {', '.join(STOPPED)}")
    if said.by and kind not in SOMEBODYS:
        what = f"{kind} is nobody's doing, so that by says nothing"
        desk.report.wrong((*at, "by"), what, f"leave it out: it is for {', '.join(SOMEBODYS)}")
        return
    requesters = [name for name, party in desk.file.parties.items() if party.requester]
    for place, party in enumerate(said.by):
        if desk.known("parties", party, (*at, "by", place)) and kind == "concern" and party not in requesters:
            if party in desk.file.parties:
                what = f"{party} is no requester, and a concern is a requester's word"
                desk.report.wrong((*at, "by", place), what, f"write requester = true under [parties.{party}]")
    if kind == "concern" and not requesters and not desk.report.doubts(("parties",)):
        instead = "write requester = true under the party that asks for the work"
        desk.report.wrong((*at, "concern"), "no party is a requester, so that nobody has a concern", instead)
