"""What the people say: seeded sentences, each with a word of its own by which it can be told from all others."""

from __future__ import annotations

import random

_WHO = "the caller|a county clerk|the night shift|second level|the vendor|our tester|the branch office"
_DID = "reports|confirms|cannot reproduce|asks about|has retried|is waiting for|sees again|no longer sees"
_WHAT = (
    "the time-out|error 504 <Gateway> & friends|the *missing* report|user [~jsmith]'s lock-out|last night's batch|"
    "{noformat}x = y && z{noformat}|the naïve résumé upload|the “slow” query|line 12_340 of the log|build 7.3's fix"
)
_END = "since this morning.|after the restart.|on node 2 only.|Please advise!|— see below.\nNext line: all is calm."
_PARTS = tuple(tuple(words.split("|")) for words in (_WHO, _DID, _WHAT, _END))


class Speech:
    """Sentences in the order in which they are asked for. ``said`` counts them."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.said = chance, 0

    def sentence(self, kind: str) -> str:
        """A remark whose last word names its kind and number."""
        self.said += 1
        words = " ".join(self.chance.choice(words) for words in _PARTS)
        return f"{words[:1].upper()}{words[1:]} {kind}{self.said:06}"

    def title(self, subject: str) -> str:
        """A summary as somebody rewrites it."""
        self.said += 1
        return f"{subject[:80]} ({self.chance.choice(_PARTS[0])}) T{self.said:06}"
