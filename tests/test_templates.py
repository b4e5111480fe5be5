"""Texts with {name} in them are filled in and never evaluated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.templates import Template, TemplateError


def refused(text: str, declared: set[str] | None = None) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        Template(text, declared)
    return caught.value


def test_names_are_replaced_by_their_values() -> None:
    assert Template("{a}: {b}, {a}").render({"a": "x", "b": 3}) == "x: 3, x"


@pytest.mark.parametrize(
    "value, written",
    [("x", "x"), (None, ""), (7, "7"), (2.0, "2"), (2.5, "2.5"), (True, "yes"), (False, "no"), (("a", "b"), "a, b")],
)
def test_values_are_written_as_people_write_them(value: object, written: str) -> None:
    assert Template("[{a}]").render({"a": value}) == f"[{written}]"  # type: ignore[dict-item]


def test_a_missing_value_leaves_nothing_behind() -> None:
    assert Template("<{a}>").render({}) == "<>"


def test_doubled_braces_are_single_ones() -> None:
    assert Template("{{a}} {a} {{{a}}} }}").render({"a": "x"}) == "{a} x {x} }"


def test_a_value_is_never_read_as_a_template() -> None:
    assert Template("{a}").render({"a": "{b} {{ {a.__class__}", "b": "no"}) == "{b} {{ {a.__class__}"


@pytest.mark.parametrize("text", ["{a.b}", "{a!r}", "{a:>10}", "{a[0]}", "{}", "{0}", "{a b}", "{__import__('os')}"])
def test_nothing_but_a_name_stands_between_braces(text: str) -> None:
    assert "is not a name" in refused(text).message


def test_a_name_may_stand_with_blanks_and_hyphens() -> None:
    assert Template("{ my-side }").render({"my-side": "x"}) == "x"


@pytest.mark.parametrize("text, brace, column", [("a {b", "{", 3), ("a b}", "}", 4), ("{a} }", "}", 5)])
def test_a_brace_that_stands_alone_is_refused_with_its_place(text: str, brace: str, column: int) -> None:
    error = refused(text)
    assert error.message == f"a {brace} stands alone"
    assert error.column == column
    assert brace * 2 in error.hint


def test_an_unknown_name_is_refused_with_the_near_ones() -> None:
    error = refused("see {summry}", {"summary", "stage", "summary_2"})
    assert error.message == "{summry} is not declared"
    assert error.column == 5
    assert error.hint == "did you mean {summary} or {summary_2}?"
    assert refused("{colour}", {"a"}).hint == "declare it: [fields.colour]"


def test_names_tell_what_the_text_needs() -> None:
    assert Template("{b} {a} {b}").names == ("b", "a", "b")


@given(st.text())
def test_no_text_does_more_than_parse_or_be_refused(text: str) -> None:
    try:
        rendered = Template(text).render({})
    except TemplateError:
        return
    assert len(rendered) <= len(text)


@given(st.text(), st.text())
def test_escaped_text_comes_out_as_it_was(text: str, value: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    assert Template(escaped + "{name}" + escaped).render({"name": value}) == text + value + text
