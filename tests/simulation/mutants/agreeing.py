"""Mutants of how the sides agree on fields and status."""

from __future__ import annotations

from tests.simulation.mutants.mutant import Edit, Mutant

MERGE, AGREE, GONE = "sync.merging.merge", "sync.merging.agree", "sync.gone"
CLAIMED = (
    "    if spoken.follows or echo is None or spoken.spelling in (echo.spelling, echo.sent) or agreed.value in now:\n"
)

AGREEING = (
    Mutant(
        "shared-base",
        "All sides are held against one common base: an item that could not be written yet looks as if its people had "
        "changed it back.",
        "hot",
        "stale overwrite",
        (
            Edit(MERGE, CLAIMED, "    if spoken.follows or echo is None or agreed.value in now:\n"),
            Edit(
                MERGE,
                "    return not reworded(spoken.side, echo, meaning, now, agreed)\n",
                "    return True\n",
            ),
        ),
        "a write that fails after another side's change was agreed",
    ),
    Mutant(
        "latest-wins",
        "Of several changes the one with the latest timestamp stands, whoever owns the field.",
        "conflicts",
        "stale overwrite",
        (
            Edit(
                AGREE,
                "choose = owners_word(declared.owner, (*declared.prefer, *sheet.setup.sides), declared.exclusive)\n",
                "latest = sorted(spoken, key=lambda s: sheet.record(s.ref).updated, reverse=True)\n"
                '    choose = owners_word("", tuple(s.side for s in latest), False)\n',
            ),
        ),
        "two sides changing one field at once, the owner first",
    ),
    Mutant(
        "late-write-as-change",
        "Our own write, shown late, is taken for a change by the item's people.",
        "hot",
        "stale overwrite",
        (
            Edit(
                MERGE,
                CLAIMED,
                "    if spoken.follows or echo is None or spoken.spelling == echo.spelling or agreed.value in now:\n",
            ),
        ),
        "a write that takes effect behind a lost answer, and a newer change before it is read",
    ),
    Mutant(
        "override-stands",
        "A word that lost against another side's counts as settled: it is not put back, and the sides stay apart.",
        "conflicts",
        "diverged",
        (
            Edit(
                MERGE,
                "            echoes.append((s.ref, Echo(s.spelling, min(s.echo.serial, agreed.serial - 1))))\n",
                "            echoes.append((s.ref, Echo(s.spelling, agreed.serial)))\n",
            ),
            Edit(
                MERGE,
                "        elif s.echo.serial < agreed.serial or s.ref in restored | overridden:\n",
                "        elif s.ref in restored or (s.echo.serial < agreed.serial and s.ref not in overridden):\n",
            ),
        ),
        "two sides changing one field at once",
    ),
    Mutant(
        "status-ping-pong",
        "An item whose state means the stage already is put into the stage's first state, over and over against its "
        "people.",
        "hot",
        "stale overwrite",
        (
            Edit(
                MERGE,
                "        if agreed.value in meant[s.ref] or s.echo is None:\n",
                "        if s.spelling == wanted or s.echo is None:\n",
            ),
            Edit(
                MERGE,
                "        elif s.echo.serial < agreed.serial or s.ref in restored | overridden:\n",
                "        else:\n",
            ),
        ),
        "a stage of which one side has several states",
    ),
    Mutant(
        "unmapped-as-nothing",
        "A value that the file does not map is taken for nothing, and written so.",
        "conflicts",
        "stale overwrite",
        (
            Edit(
                "mappings.fields",
                "            return found or ((None,) if says_nothing(spelling) else ())\n",
                "            return found or (None,)\n",
            ),
            Edit(
                "mappings.fields",
                "                return row.spellings[side][0]\n        return None\n",
                "                return row.spellings[side][0]\n"
                "        return tuple((name, None) for name in self.natives[side])\n",
            ),
        ),
        "a value that the file maps to nothing",
    ),
    Mutant(
        "restored-state-writes",
        "Where the state was lost, what one side says is written over the others at first sight.",
        "lost",
        "stale overwrite",
        (
            Edit(
                MERGE,
                "    echoes = tuple((s.ref, Echo(s.spelling, OWN if s.ref in apart else 1)) for s in heard)\n"
                "    return Verdict(Agreed(value, 1, speaking[0].side)",
                "    late = {s.ref for s in heard if value not in meant[s.ref]}\n"
                "    echoes = tuple((s.ref, Echo(s.spelling, 0 if s.ref in late else 1)) for s in heard)\n"
                "    return Verdict(Agreed(value, 1, speaking[0].side)",
            ),
        ),
        "a state lost while a change is on its way",
    ),
    Mutant(
        "older-version-believed",
        "What a trailing search or a restored tracker shows is believed although it is older than our own write.",
        "lag",
        "stale overwrite",
        (
            Edit(
                "connectors.jira.reads", "        fresh = self.lately.ids()\n", "        fresh: tuple[str, ...] = ()\n"
            ),
            Edit(
                GONE,
                "    return bool(link.id) and record is not None and record.version < max(item.version, item.acked)\n",
                "    return False\n",
            ),
            Edit(
                "sync.read",
                "        if record is not None and record.version < acked:\n",
                "        if record is not None and record.version < 0:\n",
            ),
        ),
        "an index that shows an item as it was before our last write",
    ),
)
