"""Mutants of how listings and batches are read: first pages, offsets, ties, answers that are not whole."""

from __future__ import annotations

from tests.simulation.mutants.mutant import Edit, Mutant

SN_TABLE, JIRA_QUERY, JIRA_CLOUD = "connectors.servicenow.table", "connectors.jira.query", "connectors.jira.cloud"
AZURE_READS = "connectors.azure_devops.reads"

PAGING = (
    Mutant(
        "first-page-only",
        "Only the first page of what Jira found is read, so that in a burst the rest is never noticed.",
        "ties",
        "lost",
        (
            Edit(
                JIRA_CLOUD,
                "            yield issues, not token\n            if not token:\n                return\n",
                "            yield issues, True\n            if issues or not token:\n                return\n",
            ),
        ),
        "more changed issues within the overlap than a page holds",
    ),
    Mutant(
        "first-page-only-servicenow",
        "Only the first page of ServiceNow's rows is read, so that in a burst the rest is never noticed.",
        "ties",
        "lost",
        (
            Edit(
                SN_TABLE,
                "            last = offset + limit >= page.total if page.total is not None else not page.rows\n",
                "            last = bool(page.rows) or page.total == 0\n",
            ),
        ),
        "more changed rows within the overlap than a page holds",
    ),
    Mutant(
        "first-comment-page",
        "Only the first page of an Azure DevOps discussion is read: what people say later never arrives.",
        "flood",
        "lost",
        (
            Edit(
                AZURE_READS,
                "            if not token:\n                return comments\n",
                "            if comments or not token:\n                return comments\n",
            ),
        ),
        "more comments on a work item than a page holds",
    ),
    Mutant(
        "inline-comments-only",
        "The comments that come inside a Jira issue are taken for all of them; Jira cuts them off at a number.",
        "flood",
        "lost",
        (
            Edit(
                "connectors.jira.records",
                '        if not isinstance(inside, dict) or inside["total"] > len(inside["comments"]):\n',
                "        if not isinstance(inside, dict):\n",
            ),
        ),
        "more comments on an issue than Jira shows inside it",
    ),
    Mutant(
        "ties-across-pages",
        "The next page begins after the last row's second: the others of that second are lost to everybody.",
        "ties",
        "lost",
        (
            Edit(
                SN_TABLE,
                '        return f"{listing.stamp}>{stamp}^ORsys_id>{id}^{listing.stamp}>={stamp}", place\n',
                '        return f"{listing.stamp}>{stamp}", place\n',
            ),
        ),
        "more rows in one second than a page holds",
    ),
    Mutant(
        "offset-paging",
        "ServiceNow's pages are counted by offset while people move rows to the end: what slides forward is passed by.",
        "ties",
        "lost",
        (
            Edit(
                SN_TABLE,
                "            offset = 0 if page.rows else offset + limit\n"
                "            if page.rows:\n"
                "                behind, reached = self.advanced(listing, last_placed(listing, page.rows), reached)\n",
                "            offset += limit\n",
            ),
        ),
        "people working between two pages of a listing that reaches back beyond the overlap",
    ),
    Mutant(
        "newest-first",
        "Jira is asked for the newest first, and the first page's cursor is stored: after a failure on the second page "
        "the older changes are lost.",
        "ties",
        "lost",
        (
            Edit(
                JIRA_QUERY,
                '    return Question(within(scope, known), "updated", to_the_minute(since) if since else None)\n',
                "    floor = to_the_minute(since) if since else None\n"
                '    return Question(within(scope, known), "updated", floor, newest=True)\n',
            ),
        ),
        "a failure between two pages of a listing that reaches back beyond the overlap",
    ),
    Mutant(
        "partial-answer-as-whole",
        "ServiceNow's error beside a partial result is overlooked: what was cut off looks deleted, or unsaid.",
        "flood",
        "lost",
        (
            Edit(
                SN_TABLE,
                '        self.per_thread.error = worded(payload.get("error"))\n',
                '        self.per_thread.error = {} if payload.get("result") else worded(payload.get("error"))\n',
            ),
        ),
        "a transaction that the instance cancels in the middle of its rows",
        ("held without cause",),
    ),
    Mutant(
        "one-gone-fails-all",
        "A batch of work items is asked for as all or nothing: one deleted item keeps everybody's others unread.",
        "deletes",
        "diverged",
        (
            Edit(AZURE_READS, '"errorPolicy": "Omit"', '"errorPolicy": "Fail"'),
            Edit(
                "sync.sparing",
                "        except Exception as failure:\n            return failure\n        self.alive",
                "        except Exception:\n            raise\n        self.alive",
            ),
        ),
        "a deleted work item beside others that change",
        # the passes never come to an end
        ("not quiet",),
    ),
)
