"""What people ask of a Lockstep at work: a command writes the request, whoever holds the state works it, at the start
of a pass, and answers in words.

Every kind is a function of the engine and the request that returns the answer, or raises ``Declined``. A request is
answered after its work is done, so each kind must say the same when it finds its work done already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from sync.edits.edit import keep
from sync.engine import Engine
from sync.joining.relink import Declined, link, split, unlink
from sync.listing.asked import send, unwatch, watch
from sync.log import where
from sync.store import DECLINED, DONE, Request, StateBroken

Work = Callable[[Engine, Request], str]


def apply_plan(engine: Engine, request: Request) -> str:
    """What became of a plan file that a person approved."""
    from sync.approval.approve import applied  # it makes passes itself, and a pass works requests

    return applied(engine, request)


#: what can be asked for
KINDS: Mapping[str, Work] = {
    **{"link": link, "unlink": unlink, "split": split, "apply": apply_plan},
    **{"send": send, "watch": watch, "unwatch": unwatch},
}


def work(engine: Engine) -> None:
    """Works what was asked since the last pass, in the order in which it was asked."""
    for request in engine.store.unanswered():
        outcome, words = worked(engine, request)
        if outcome == DONE:
            keep(engine.store, engine.setup, engine.edit)
        engine.store.answer(request, outcome, words, engine.now())
        structlog.get_logger().info("request", action=request.kind, by=request.by, outcome=outcome)


def worked(engine: Engine, request: Request) -> tuple[str, str]:
    """How one request ends. What nobody foresaw ends it too: a person is there to ask again."""
    if request.kind not in KINDS:
        return DECLINED, f"this Lockstep knows no {request.kind}; is the running one older than the command?"
    try:
        return DONE, KINDS[request.kind](engine, request)
    except Declined as declined:
        return DECLINED, str(declined)
    except StateBroken:
        raise
    except Exception as error:
        structlog.get_logger().error("defect in Lockstep", action=request.kind, where=where(error))
        return DECLINED, f"a defect in Lockstep stopped it: {type(error).__name__}; please report it with the log line"
