"""Mutants of how writes are sent and what counts as settled."""

from __future__ import annotations

from tests.simulation.mutants.mutant import Edit, Mutant

TRANSPORT, APPLY, ANSWER = "connectors.transport", "sync.apply", "sync.applying.answer"
SN_TABLE, COMMIT, HAND = "connectors.servicenow.table", "sync.store.commit", "sync.applying.hand"

#: of what was made twice only one is known, and followed
HALF = ("diverged", "lost")

WRITING = (
    Mutant(
        "mark-then-send",
        "A copy counts as done before it is sent: whoever waits for it after a crash waits for ever.",
        "crashes",
        "lost",
        (Edit(COMMIT, 'copies.said_as(action, "unsure", now)', 'copies.said_as(action, "done", now)'),),
        "a death between the commit and the request",
    ),
    Mutant(
        "echo-before-answer",
        "What is to be written is kept as what the item says before it does: after a failure its old value looks like "
        "its people's change and goes over the newer one.",
        "weather",
        "stale overwrite",
        (
            Edit(
                COMMIT,
                "values(sent=spelling)",
                "values(spelling=spelling, serial=write.wanted[name].serial, sent=None)",
            ),
        ),
        "a write that fails or is never sent",
    ),
    Mutant(
        "blind-retry",
        "A write whose answer was lost is sent once more: people read everything twice.",
        "weather",
        "doubled",
        (
            Edit(
                TRANSPORT,
                "return named(call, classify, self.tracker, Unsure)\n",
                "twice = tenacity.Retrying(stop=tenacity.stop_after_attempt(2), reraise=True, "
                "retry=tenacity.retry_if_exception_type(Unsure))\n"
                "            return twice(lambda: named(call, classify, self.tracker, Unsure))\n",
            ),
        ),
        "a write that takes effect and whose answer is lost",
    ),
    Mutant(
        "gateway-error-as-down",
        "A gateway's 502 to a write counts as certainly not applied, and the write is sent again in the next pass.",
        "lag",
        "doubled",
        (
            Edit(
                "connectors.jira.client",
                "        if writing:\n            return Unsure(",
                "        if writing and status == 408:\n            return Unsure(",
            ),
        ),
        "a write that takes effect behind a 502 or 504",
        HALF,
    ),
    Mutant(
        "accepted-as-done",
        "ServiceNow's 202 counts as a success, though it drops what it queued: the caller never reads the answer.",
        "quota",
        "lost",
        (
            Edit(
                SN_TABLE,
                "if status in (200, 201):",
                "if status in (200, 201) or (status == 202 and writing):",
            ),
            Edit(
                SN_TABLE,
                "        if not row:\n            raise Unsure(",
                "        if not row and self.transport.last.status_code != 202:\n            raise Unsure(",
            ),
        ),
        "a 202 to a comment, without effect",
    ),
    Mutant(
        "failed-write-forgotten",
        "A write that did not come through is not tried again: the item stays behind until somebody touches it.",
        "quota",
        "diverged",
        (
            Edit(
                "sync.reconcile",
                "    if applied.unsettled or unread or plan.pending:\n",
                "    if unread or plan.pending:\n",
            ),
        ),
        "a write that fails once, sweep off",
    ),
    Mutant(
        "stale-as-applied",
        "A write that Azure DevOps refused because the item had moved on counts as applied.",
        "hot",
        "stale overwrite",
        (
            Edit(
                APPLY,
                "from connectors.base import Failure, Gone, Refused, Unsure\n",
                "from connectors.base import Failure, Gone, Refused, Stale, Unsure\n",
            ),
            Edit(
                APPLY,
                "    except Failure as failure:\n"
                "        fell(hand, action.side, intent, failure)\n"
                "        return\n"
                "    echoes = ",
                "    except Stale:\n"
                "        fields = {**before.fields, **action.change.fields}\n"
                "        record = replace(before, fields=fields, state=action.change.state or before.state)\n"
                "    except Failure as failure:\n"
                "        fell(hand, action.side, intent, failure)\n"
                "        return\n"
                "    echoes = ",
            ),
        ),
        "somebody changing a work item between our read and our write",
    ),
    Mutant(
        "no-revision-test",
        "Azure DevOps is written without the test of the revision: what people changed meanwhile is written over.",
        "hot",
        "stale overwrite",
        (
            Edit(
                "connectors.azure_devops.connector",
                '        document = [{"op": "test", "path": "/rev", "value": version}, *operations]\n',
                "        document = operations\n",
            ),
        ),
        "somebody changing the same field of a work item between our read and our write",
    ),
    Mutant(
        "own-write-hides-anothers",
        "The version that our own write left is taken for seen, whatever came between: what people did in that moment "
        "is never looked at.",
        "hot",
        "lost",
        (
            Edit(
                ANSWER,
                "    direct = hand.follows(record.ref, record.version == before.version or next_version)\n",
                "    direct = True\n",
            ),
            Edit(APPLY, "    direct = hand.follows(action.ref, next_version)\n", "    direct = bool(said.version)\n"),
        ),
        "somebody commenting between our read and our write, sweep off",
    ),
    Mutant(
        "second-write-hides-anothers",
        "Behind a stranger's write the second of our own looks as if nobody had come between: what they said is "
        "never heard.",
        "hot",
        "lost",
        (
            Edit(
                HAND,
                "            self.done.strange.add(ref)\n        return ref not in self.done.strange\n",
                "            pass\n        return directly\n",
            ),
        ),
        "somebody commenting between our read and the first of two writes to the item, sweep off",
    ),
)
