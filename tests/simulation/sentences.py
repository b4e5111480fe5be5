"""Acts, weather and findings in the words of a person who has to understand what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from sandbox.replay.acts import Act
from sandbox.server import Entry
from tests.simulation.outcome import CRASHED, UNLIKE
from tests.simulation.witness import quoted

COMMENTS = "Every comment a person leaves on a linked item reaches every other item of the link that a named path \
allows, exactly once in effect."
AGREES = "After faults stop, every mapped field agrees within one pass, or within one sweep where a tracker's search \
index was later than the overlap, or the item is listed as held with the tracker's own reason."
STANDS = "At every moment each item holds its old value, the intended new one, or a status on the way there."
#: what is promised, by the kind of finding that breaks it
PROMISES = {
    "lost": f"{COMMENTS} {AGREES}",
    "doubled": COMMENTS,
    "phantom": STANDS,
    "stale overwrite": "When two people change one field at once, the owner's word stands; an older value never "
    f"replaces a newer one. {STANDS}",
    "diverged": AGREES,
    "not quiet": "A pass in which no person changed anything writes nothing.",
    "resurrected": "Nothing is deleted, re-created or re-opened because something was absent.",
    "leaked": "Nothing private crosses unless the admin named the path.",
    "over quota": "A tracker that asked for rest is left alone until then.",
    "held without cause": f"{AGREES} When the cause clears, the item flows in one pass.",
    CRASHED: "One item's trouble never ends a pass: it is held with its reason, and everything else goes on.",
    UNLIKE: "The same seed gives the same trace.",
}
#: what people do, each by its kind; ``{item}`` is its name, ``{text}`` what was said, ``{fields}`` what was set
DEEDS = {
    "create": "opened {item} with {fields}",
    "change": "set {fields} of {item}",
    "move": "moved {item} to {fields}",
    "comment": "wrote on {item} ({channel}): {text}",
    "edit": "changed their comment {id} on {item} to {text}",
    "erase": "took away the comment {id} on {item}",
    "delete": "deleted {item}",
    "undelete": "restored {item} from the bin",
    "hide": "took {item} out of the integration account's sight",
    "show": "let the integration account see {item} again",
    "leave": "moved {item} out of scope: {fields}",
    "enter": "moved {item} into scope: {fields}",
    "kin": "set {fields} of {item}",
    "relocate": "moved {item} to another place: {fields}",
    "foreign": "(a program) set {fields} of {item}",
    "forge": "wrote on {item} ({channel}), in the manner of a copy: {text}",
    "alike": "wrote on {item} ({channel}) what was said before: {text}",
    "ours": "wrote on {item} ({channel}) through the integration's account: {text}",
}
OTHERWISE = "{kind} on {item} {fields} {text}"
#: what is no act of people's, by the kind of step
WEATHER = {
    "calm": "Faults strike no more.",
    "die": "A process is going to die in one of its next passes.",
    "restart": "The process is ended and started again.",
}
#: faults that are not named by their kind alone
FAULTS = {
    "reset_before": "the connection was reset, it did not arrive",
    "reset_after": "it took effect, the connection was reset",
    "reset_within": "it took effect, the answer broke off",
    "answer_after": "it took effect behind another answer",
    "cut": "it took effect, the answer broke off",
}


def deed(act: Act, item: str) -> str:
    """What somebody did, ``item`` being its name."""
    fields = ", ".join(f"{name} {quoted(value)}" for name, value in act.fields.items())
    words = {"kind": act.kind, "item": item, "fields": fields, "text": quoted(act.text) if act.text else ""}
    return f"{act.by} {DEEDS.get(act.kind, OTHERWISE).format(**words, channel=act.channel, id=act.id)}".strip()


def weather(entries: Iterable[Entry]) -> Iterator[str]:
    """The faults that struck, the same ones told once with their number."""
    struck = Counter((one.tracker, one.method, one.path, one.fault, one.status) for one in entries if one.fault)
    for (tracker, method, path, fault, status), times in struck.items():
        often = f" ({times} times)" if times > 1 else ""
        yield f"Fault: {method} {tracker} {path}: {FAULTS.get(fault, fault)}, answered {status or 'nothing'}{often}"
