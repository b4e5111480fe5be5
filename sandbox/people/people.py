"""The people of three organisations: each act is drawn from a step's seed and done through the trackers' own doors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from sandbox.people import changing, placing, talking
from sandbox.people.hands import Hands, Nothing
from sandbox.people.script import Step
from sandbox.replay.acts import Act

Deed = Callable[[Hands, Random], None]

#: every act there is, by the name that steps and profiles use
DEEDS: Mapping[str, Deed] = {
    deed.__name__: deed
    for deed in (
        talking.comment,
        talking.whisper,
        talking.flood,
        talking.alike,
        talking.ours,
        talking.robot,
        talking.forge,
        talking.lengthy,
        talking.edit,
        talking.erase,
        talking.wipe,
        talking.reply,
        changing.title,
        changing.shape,
        changing.odd,
        changing.everywhere,
        changing.describe,
        changing.revise,
        changing.rank,
        changing.lossy,
        changing.rethink,
        changing.tend,
        changing.foreign,
        changing.state,
        changing.clash,
        changing.agree,
        changing.flip,
        changing.waver,
        changing.finish,
        changing.reopen,
        placing.incident,
        placing.fresh,
        placing.child,
        placing.defect,
        placing.take,
        placing.leave,
        placing.enter,
        placing.retype,
        placing.relocate,
        placing.kin,
        placing.delete,
        placing.undelete,
        placing.hide,
        placing.empty,
        placing.show,
        placing.restore,
    )
}


class People(Hands):
    """Everybody who works in the three trackers."""

    def do(self, step: Step) -> Sequence[Act]:
        """Carries a step out and returns what was done: nothing where there is nothing to do it to, or where the
        tracker's own rules refuse it. Raises ``KeyError`` for an act that does not exist."""
        before, deed = len(self.acts), DEEDS[step.kind]
        self.name, self.count = f"{step.seed:08x}", 0
        try:
            deed(self, step.draw())
        except Exception as refused:
            if not refused_by_tracker(refused):
                raise
        return self.acts[before:]

    def leave_off(self) -> None:
        """Nobody acts any more."""
        placing.overtaken(self)


def refused_by_tracker(error: Exception) -> bool:
    """Whether a tracker's own rules, or the want of an item, refused an act."""
    return isinstance(error, Nothing | KeyError | ValueError) or type(error).__module__.startswith("sandbox")
