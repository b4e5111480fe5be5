"""Command words in comments."""

from __future__ import annotations

import pytest

from mappings.calendar import Span
from sync.escalation.words import Word, words_in


@pytest.mark.parametrize(
    "text", ["!ack", "/ack", "#ack", "  !ACK  ", "thanks\n!ack, on it\nbye", "!ack: I look into it"]
)
def test_a_line_that_begins_with_a_sign_and_a_word_commands(text: str) -> None:
    assert words_in(text) == (Word("ack"),)


@pytest.mark.parametrize(
    "text", ["ack", "please !ack", "! ack", "!acknowledge", "!ack-not", "> !ack", "!!ack", "#1", "/", "", "!research"]
)
def test_anything_else_is_plain_text(text: str) -> None:
    assert words_in(text) == ()


def test_words_of_the_file_count_beside_the_built_in_ones_in_their_order_and_once() -> None:
    text = "!research please\n#ack\n/research again\n!delegate to nobody"
    assert words_in(text, {"research"}) == (Word("research"), Word("ack"))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("!snooze 2d waiting for the vendor", Span(2)),
        ("/snooze 1d 4h: vendor", Span(1, 4 * 3600)),
        ("#Snooze 90m, lunch", Span(0, 90 * 60)),
    ],
)
def test_a_snooze_has_a_span_and_a_reason(text: str, span: Span) -> None:
    assert words_in(text) == (Word("snooze", span),)


@pytest.mark.parametrize(
    "text",
    ["!snooze", "!snooze 2d", "!snooze waiting", "!snooze 0d because", "!snooze 2 days ago", "!snooze 4h 2d so",
     "!snooze 9999999d for ever"],
)  # fmt: skip
def test_a_snooze_without_its_span_or_its_reason_does_nothing(text: str) -> None:
    assert words_in(text) == (Word("snooze", broken=True),)


def test_the_reason_is_never_kept() -> None:
    assert "vendor" not in repr(words_in("!snooze 2d waiting for the vendor"))
