"""Plain text in and out of markup: every word arrives, nothing comes alive, nothing hangs."""

from __future__ import annotations

import re
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.fields import Field
from mappings.text import clean, from_html, from_wiki, parts, to_html, to_journal, to_wiki
from sandbox.jira.wiki import document

#: text as people and hostile people write it
TEXT = st.one_of(st.text(), st.text(st.sampled_from("ab <>&;\"'\n\t[]{}|!*_-\\~#389\x00\r\xa0é😀")))


@given(TEXT)
def test_every_word_survives_the_way_through_html(text: str) -> None:
    text = clean(text)[0]
    assert from_html(to_html(text)).split() == text.split()


@given(st.text(st.sampled_from("ab <>&;\"'\n[]")))
def test_lines_and_runs_of_blanks_survive_the_way_through_html(text: str) -> None:
    text = clean(text)[0]
    assert from_html(to_html(text)) == text


@given(TEXT)
def test_html_out_holds_no_markup_but_our_own(text: str) -> None:
    inner = to_html(text).removeprefix("<div>").removesuffix("</div>").replace("<br>", "")
    assert "<" not in inner and ">" not in inner


@given(TEXT)
def test_wiki_markup_is_undone_exactly(text: str) -> None:
    text = clean(text)[0]
    assert from_wiki(to_wiki(text)) == text


def test_what_looks_like_an_entity_is_read_in_jira_as_it_was_typed() -> None:
    """ENTITY_PATTERN of Jira's renderer: it leaves ``&lt;`` to the browser, which shows ``<``."""
    text = "&lt;b&gt; &amp;lt; &nbsp; &#39; &#x27; &#38;#92; AT&T; a&b &; &toolongforone;"
    (paragraph,) = document(to_wiki(text))["content"]
    assert [one["text"] for one in paragraph["content"]] == [text]
    assert from_wiki(to_wiki(text)) == text


@pytest.mark.parametrize(
    "text",
    ["[~ann]", "a [~accountid:1]", "[a|http://b]", "!x.png!", "{code}", "h [code]x[/code]", r"\[~ann\]", r"\\\{code}"],
)
def test_mentions_links_images_and_macros_stay_dead(text: str) -> None:
    """No escape stands behind a backslash: Jira takes it for none."""
    assert not re.search(r"(?:^|[^\\]|\\\\)[\[{!]", to_wiki(text))
    assert "[code]" not in to_journal(text).lower() and "[/code]" not in to_journal(text).lower()


@pytest.mark.parametrize(
    "markup, words",
    [
        ("", ""),
        ("no markup &amp; none", "no markup & none"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>a<li>b</ul>c", "a\nb\nc"),
        ("<div>a<b>b</b>c</div>", "abc"),
        ("x<!-- <p>hidden</p> -->y", "xy"),
        ("a<script>alert(1)</script>b<style>p{}</style>c", "abc"),
        ("<p>unclosed <b>tags", "unclosed tags"),
        ("</div></div>after", "after"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("<table><tr><td>a</td></tr><tr><td>b</td></tr></table>", "a\nb"),
        ('<meta charset="iso-8859-1">é', "é"),
        ("a&nbsp;b&#0;c\x00d", "a bcd"),
    ],
)
def test_the_words_of_html_are_read_block_by_block(markup: str, words: str) -> None:
    read = from_html(markup)
    assert read.replace("\ufffd", "") == words


HOSTILE = {
    "deep": "<div>" * 60_000 + "end",
    "crossed": "<b><i>" * 30_000 + "</b></i>" * 30_000 + "end",
    "angles": "<" * 200_000 + " end",
    "attributes": "<p " + "a=b " * 50_000 + ">end</p>",
    "entities": "<p>" + "&amp;" * 100_000 + " end</p>",
    "comments": "<!--" * 50_000 + "--> end",
    "wide": "<p>x</p>" * 30_000 + "end",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_html_ends_soon(name: str) -> None:
    began = perf_counter()
    from_html(HOSTILE[name])
    assert perf_counter() - began < 5


def test_nesting_of_any_depth_keeps_its_words() -> None:
    assert from_html(HOSTILE["deep"]).endswith("end")


@given(TEXT, st.integers(1, 40))
def test_parts_lose_nothing_but_blanks_at_cuts_and_never_exceed_the_limit(text: str, limit: int) -> None:
    pieces = parts(text, limit)
    assert all(len(piece) <= limit for piece in pieces) and len(pieces) >= 1
    rest = text
    for piece, following in zip(pieces, (*pieces[1:], ""), strict=True):
        assert rest.startswith(piece)
        rest = rest[len(piece) :]
        while following and not rest.startswith(following):
            assert rest[0] in " \n"
            rest = rest[1:]
    assert rest.strip(" \n") == ""
    assert all(piece for piece in pieces) or pieces == ("",)


def test_parts_are_cut_at_a_line_end_or_blank_where_one_is_near() -> None:
    assert parts("one two three four", 10) == ("one two", "three four")
    assert parts("one\n\ntwo three", 8) == ("one", "two", "three") or parts("one\n\ntwo three", 8)[0].strip() == "one"
    assert parts("abcdefghij", 4) == ("abcd", "efgh", "ij")
    assert parts("", 4) == ("",)
    assert parts("abcd   ", 4) == ("abcd",)


@given(TEXT)
def test_clean_leaves_what_every_tracker_takes_and_counts_what_went(text: str) -> None:
    cleaned, removed = clean(text)
    cleaned.encode()
    assert not set(cleaned) & {chr(n) for n in (*range(9), 11, 12, *range(13, 32), 127)}
    assert clean(cleaned) == (cleaned, 0)
    kept = [c for c in text.replace("\r\n", "\n").replace("\r", "\n") if c in cleaned or c.isspace()]
    assert removed <= len(text) and len(cleaned) <= len(kept)


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "kind, native, means",
    [
        ("integer", "3", (3,)),
        ("integer", "3.0", (3,)),
        ("integer", "12345678901234567891", (12345678901234567891,)),
        ("integer", "3.5", ()),
        ("integer", "inf", ()),
        ("number", "nan", ()),
        ("number", "1e400", ()),
        ("number", "2.50", (2.5,)),
        ("boolean", "TRUE", (True,)),
        ("boolean", "maybe", ()),
        ("list", None, ((),)),
        ("list", "one", (("one",),)),
        ("text", "", (None,)),
        ("text", ("a", "b"), ("a, b",)),
    ],
)
def test_a_native_value_means_what_its_field_declares_or_nothing(kind: str, native: object, means: tuple) -> None:
    declared = Field("f", kind, {"incident": ("u_f",)})
    assert declared.meanings("incident", (("u_f", native),)) == means  # type: ignore[arg-type]


@given(st.integers())
def test_a_whole_number_keeps_every_digit_on_its_way_through_a_tracker(number: int) -> None:
    declared = Field("f", "integer", {"incident": ("u_f",)})
    assert declared.meanings("incident", declared.spelling("incident", number) or ()) == (number,)
