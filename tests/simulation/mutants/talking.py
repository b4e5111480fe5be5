"""Mutants of how comments travel: whose they are, whether they were carried, who may read them."""

from __future__ import annotations

from tests.simulation.mutants.mutant import Edit, Mutant

COPIES, DISCUSS, ERASE = "sync.comments.copies", "sync.comments.discuss", "sync.comments.erase"
SORTED = "    copies, spoken = sort_out(link, seen, setup, now)\n"
SEAL = "            seal = verified(secrets, comment.text, item.ref) if comment.ours else None\n"

ORIGINS = (
    Mutant(
        "no-origin-marker",
        "Copies are known by the ids in our own table alone where a tracker gives ids, not by their banner: a copy "
        "whose answer was lost looks like somebody's words, and travels on.",
        "weather",
        "doubled",
        (
            Edit(
                COPIES,
                SEAL,
                "            told = comment.ours and not seen.facts[item.ref.tracker].rewords\n"
                "            seal = verified(secrets, comment.text, item.ref) if told else None\n",
            ),
        ),
        "a comment that takes effect behind a lost answer, or a state that is lost",
    ),
    Mutant(
        "same-text-once",
        "Comments are told apart by author and text: who asks for news a second time is not heard.",
        "flood",
        "lost",
        (
            Edit(
                DISCUSS,
                SORTED,
                SORTED + "    spoken = list({(c.account, c.text): c for c in reversed(spoken)}.values())[::-1]\n",
            ),
        ),
        "a person saying the same words twice on one piece of work",
    ),
    Mutant(
        "author-filter",
        "Everything that our account wrote counts as our own copy: what other automation says with that account is "
        "lost.",
        "flood",
        "lost",
        (
            Edit(
                COPIES,
                "            if seal is None:\n                spoken.append(comment)\n                continue\n",
                "            if seal is None:\n"
                "                spoken += [] if comment.ours else [comment]\n"
                "                continue\n",
            ),
        ),
        "a comment by our own account that is not ours",
    ),
    Mutant(
        "unsigned-banner",
        "Whatever begins with a banner counts as a copy, whoever wrote it: a quoted copy silences its author.",
        "flood",
        "lost",
        (
            Edit(COPIES, SEAL, "            seal = verified(secrets, comment.text, item.ref)\n"),
            Edit(
                "mappings.banner",
                '        if hmac.compare_digest(check(secret, found["token"], target, part, parts), found["check"]):\n',
                '        if secret and found["check"]:\n',
            ),
        ),
        "a person quoting a copy at the head of an answer, or forging one",
    ),
    Mutant(
        "cursor-per-link",
        "What is older than the newest carried comment of the link counts as carried: words that one tracker shows "
        "late are lost.",
        "lag",
        "lost",
        (
            Edit(
                DISCUSS,
                SORTED,
                SORTED + "    carried = [c for c in spoken if Origin(c.item.tracker, c.id) in link.known]\n"
                "    reached = max((c.created for c in carried), default=None)\n"
                "    spoken = [c for c in spoken if c in carried or reached is None or c.created > reached]\n",
            ),
        ),
        "comments on two trackers of which the older one is read later",
    ),
    Mutant(
        "long-comment-cut",
        "Of a comment that is too long for a tracker only the first part is said.",
        "flood",
        "lost",
        (
            Edit(
                COPIES,
                "    pieces = parts(said.text, limit - ROOM)\n",
                "    pieces = parts(said.text, limit - ROOM)[:1]\n",
            ),
        ),
        "a comment of more than 16,000 characters",
    ),
    Mutant(
        "edit-as-second-copy",
        "An edited comment is said once more beside its first copy, where the copy could be changed.",
        "flood",
        "doubled",
        (
            Edit(
                "sync.comments.revise",
                "    elif changeable(case, rows):\n        reword(case, rows, where, revised)\n    else:\n"
                '        revised.errands.append(follow_up(case, where or case.channels[0], "edited: "))\n',
                '    else:\n        revised.errands.append(follow_up(case, where or case.channels[0], ""))\n',
            ),
        ),
        "a comment edited in Jira or Azure DevOps whose copy stands in the other",
    ),
    Mutant(
        "empty-journal-deletes",
        "Comments that a tracker no longer shows count as deleted, though a denied journal is an empty answer: what "
        "was still on its way is dropped.",
        "weather",
        "lost",
        (
            Edit(
                ERASE,
                "Ref(origin.tracker, known.item) in items and tracker and tracker.rewords:\n",
                "Ref(origin.tracker, known.item) in items and tracker:\n",
            ),
        ),
        "the right to read ServiceNow's journal taken away while a comment waits to be carried",
    ),
)

READERS = (
    Mutant(
        "channel-ignored",
        "A path is found by its side alone: work notes and internal comments reach everybody.",
        "flood",
        "leaked",
        (
            Edit(
                "mappings.disclosure",
                "for path in paths if path.source == Channel(side, channel) for t in path.targets)\n",
                "for path in paths if path.source.side == side for t in path.targets)\n",
            ),
        ),
        "a comment on a channel that no path names",
    ),
    Mutant(
        "restriction-ignored",
        "A Jira comment that only a role may read counts as one for everyone.",
        "flood",
        "leaked",
        (
            Edit(
                "connectors.jira.records",
                '    if visibility.get("type"):\n',
                '    if visibility.get("type") == "internal":\n',
            ),
        ),
        "a comment in Jira restricted to a role or group",
    ),
    Mutant(
        "sibling-leak",
        "A comment reaches every item of the link: one county's caller reads another's.",
        "joins",
        "leaked",
        (
            Edit(
                DISCUSS,
                "            if item.ref != comment.item and "
                "(item.side != side or (siblings and channel.name == comment.channel)):\n",
                "            if item.ref != comment.item and (item.side != side or channel.name == comment.channel):\n",
            ),
            Edit(
                DISCUSS,
                "    for channel in targets(setup.paths, side, comment.channel):\n",
                "    own = Channel(side, comment.channel)\n"
                "    for channel in (own, *targets(setup.paths, side, comment.channel)):\n",
            ),
            Edit(
                DISCUSS,
                "from mappings.disclosure import targets\n",
                "from mappings.disclosure import Channel, targets\n",
            ),
        ),
        "a second incident in a link, and a comment on either",
    ),
)

TALKING = ORIGINS + READERS
