"""Mutants of how changes are noticed: watermarks and scopes. Most are lost changes that a sweep would hide."""

from __future__ import annotations

from tests.simulation.mutants.mutant import Edit, Mutant

SN_READS, SN_TABLE = "connectors.servicenow.reads", "connectors.servicenow.table"
JIRA_READS, JIRA_QUERY = "connectors.jira.reads", "connectors.jira.query"

WATERMARKS = (
    Mutant(
        "strict-greater",
        "ServiceNow is asked for rows after the watermark, not from it: a second change in the same second is lost.",
        "ties",
        "lost",
        (
            Edit(
                SN_READS,
                '        start = stamp(moment(cursor) - self.lag) if cursor else ""\n',
                '        start = stamp(moment(cursor)) if cursor else ""\n',
            ),
            Edit(
                SN_TABLE,
                '        behind, offset, limit = (f"{listing.stamp}>={start}"',
                '        behind, offset, limit = (f"{listing.stamp}>{start}"',
            ),
        ),
        "two changes in one second, a pass between them",
    ),
    Mutant(
        "no-overlap",
        "Jira is asked from the watermark on without an overlap: what its index shows late is never noticed.",
        "lag",
        "lost",
        (
            Edit(
                JIRA_READS,
                'int(cursor.partition(":")[0]) / 1000, UTC) - self.lag if cursor else None\n',
                'int(cursor.partition(":")[0]) / 1000, UTC) if cursor else None\n',
            ),
        ),
        "an index that trails and shows writes out of order",
    ),
    Mutant(
        "no-overlap-servicenow",
        "ServiceNow is asked from the watermark on without an overlap: a row that is committed late bears an older "
        "stamp and is never noticed.",
        "lag",
        "lost",
        (
            Edit(
                SN_READS,
                '        start = stamp(moment(cursor) - self.lag) if cursor else ""\n',
                '        start = stamp(moment(cursor)) if cursor else ""\n',
            ),
        ),
        "a write that is seen some time after its stamp, another one between",
    ),
    Mutant(
        "local-clock",
        "The watermark is our clock instead of the tracker's: where ours is ahead, changes are lost.",
        "ties",
        "lost",
        (
            Edit(
                SN_READS,
                "max(cursor, *(stamp(record.updated) for record in good[-1:]), ",
                "max(stamp(self.transport.clock.now()), ",
            ),
        ),
        "a tracker whose clock is behind ours",
    ),
    Mutant(
        "local-clock-jira",
        "Jira's watermark is our clock instead of its own: where ours is ahead, or its index late, changes are lost.",
        "lag",
        "lost",
        (
            Edit(
                JIRA_READS,
                "            newest = max([newest, *passed])\n",
                "            newest = max([newest, (query.epoch(self.clock.now()), 0)])\n",
            ),
        ),
        "a tracker whose clock is behind ours, or an index that is later than the overlap while nothing else moves",
    ),
    Mutant(
        "zone-shift",
        "The bound of the change query is a local date, read in the zone of our account's profile: west of UTC whole "
        "hours of changes are lost.",
        "ties",
        "lost",
        (
            Edit(
                JIRA_QUERY,
                '        bound = f" AND {self.field} >= {epoch(self.since)}" if self.since else ""\n',
                '        bound = f\' AND {self.field} >= "{self.since:%Y-%m-%d %H:%M}"\' if self.since else ""\n',
            ),
        ),
        "an account whose profile has another zone than UTC",
    ),
    Mutant(
        "moving-upper-bound",
        "Each pass asks for a window that ends now and begins where the last one ended, by our clock: what is stamped "
        "or shown later falls between two windows.",
        "ties",
        "lost",
        (
            Edit(
                SN_READS,
                '        start = stamp(moment(cursor) - self.lag) if cursor else ""\n'
                "        for page, last in self.client.walk(self.listing(scope), start):\n",
                '        start, until = stamp(moment(cursor)) if cursor else "", stamp(self.transport.clock.now())\n'
                "        listing = self.listing(scope)\n"
                '        groups = tuple(both(group, f"sys_updated_on<{until}") for group in listing.groups)\n'
                "        for page, last in self.client.walk(replace(listing, groups=groups), start):\n",
            ),
            Edit(
                SN_READS,
                "max(cursor, *(stamp(record.updated) for record in good[-1:]), ",
                "max(until if last else cursor, ",
            ),
        ),
        "a tracker whose clock is behind ours, or changes while the pages are read",
    ),
    Mutant(
        "cursor-before-ingest",
        "The cursor is stored before what it passed over is: a crash between the two loses a page of changes.",
        "crashes",
        "lost",
        (
            Edit(
                "sync.store.noticing",
                "        with self.db.begin() as connection:\n"
                "            known = dirty.known(connection, [n.ref for n in notices])\n",
                "        with self.db.begin() as connection:\n"
                "            stored = connection.execute("
                "sa.select(t.cursors).where(t.cursors.c.side == side)).first()\n"
                "            if stored is None or (stored.cursor, stored.complete) != (cursor, complete):\n"
                '                row = {"side": side, "cursor": cursor, "complete": complete, "swept": ""}\n'
                '                upsert(connection, t.cursors, [row], keep=("swept",))\n'
                "        with self.db.begin() as connection:\n"
                "            known = dirty.known(connection, [n.ref for n in notices])\n",
            ),
            Edit(
                "sync.store.noticing",
                "old=first)\n"
                "            stored = connection.execute("
                "sa.select(t.cursors).where(t.cursors.c.side == side)).first()\n"
                "            if stored is None or (stored.cursor, stored.complete) != (cursor, complete):\n"
                '                row = {"side": side, "cursor": cursor, "complete": complete, "swept": ""}\n'
                '                upsert(connection, t.cursors, [row], keep=("swept",))\n',
                "old=first)\n",
            ),
        ),
        "a death between two commits of noticing, and a start later than the overlap",
    ),
    Mutant(
        "taken-off-before-done",
        "What was noticed is taken off the list once it is read, not once it is done: a failure or a crash in between "
        "loses it.",
        "crashes",
        "lost",
        (
            Edit(
                "sync.reconcile",
                "    done.links = len(reading.links)\n    return reading\n",
                "    done.links = len(reading.links)\n"
                "    engine.store.clean(reading.rows.values())\n"
                "    return reading\n",
            ),
        ),
        "a write that fails, or a death while writing",
    ),
)

SCOPES = (
    Mutant(
        "scope-forgets-incidents",
        "An incident that is assigned to another group is no longer asked for: its people are not heard any more.",
        "scope",
        "lost",
        (Edit(SN_READS, '        groups = (inside, marked) if inside else ("",)\n', "        groups = (inside,)\n"),),
        "an incident reassigned out of scope and changed after that, sweep off",
    ),
    Mutant(
        "scope-forgets-defects",
        "A defect that leaves the scope is no longer asked for, though it carries our mark.",
        "scope",
        "lost",
        (
            Edit(
                JIRA_QUERY,
                '    return f"(({in_scope(scope, known)}) OR {marked(scope, known)})"\n',
                '    return f"({in_scope(scope, known)})"\n',
            ),
        ),
        "a defect moved to another project or type and changed after that, sweep off",
    ),
    Mutant(
        "scope-forgets-work-items",
        "A work item that is made another type is no longer looked at, though it carries our tag.",
        "scope",
        "lost",
        (
            Edit(
                "connectors.azure_devops.records",
                "    if has(tags(fields.get(TAGS)), scope.mark):\n        return True\n    types",
                "    types",
            ),
        ),
        "a work item made another type and changed after that, sweep off",
    ),
)

NOTICING = WATERMARKS + SCOPES
