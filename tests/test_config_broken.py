"""A file that is not TOML, or not anything: told in plain words, and nothing but ConfigProblems ever comes out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.config import ConfigProblems, Problem, load
from sync.config.tables.file import File
from tests.config_files import HIDDEN, WHOLE, problems_of, read

# ── broken TOML ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "line, what, instead",
    [
        ("state = lockstep", "must stand in quotes", 'state = "..."'),
        ("poll = 30s", "must stand in quotes", 'poll = "..."'),
        ("since = 2026-13-01", "no such date", "2026-11-01"),
        ("url = https://x", "must stand in quotes", 'url = "..."'),
        ('state = "lockstep', "no closing quote", "end it"),
        ("state = 'lockstep", "no closing quote", "end it"),
        ('state "x"', "no = between", "state = ..."),
        ('state: "x"', "not by :", "state = ..."),
        ('the state = "x"', "blanks must stand in quotes", '"the state"'),
        ("state =", "has no value", "state = "),
        ("paused = True", "small letters", "true"),
        ("paused = yes", "not a word TOML knows", "true"),
        ("state = “x”", "typographic quotes", "straight"),
        ('area = "Portal\\Defects"', "backslash", "single quotes"),
        ('say = "He said "no""', "after the closing quote", "'...'"),
        ('list = ["a" "b"]', "comma is missing", '["one", "two"]'),
        ("table = { a = 1 b = 2 }", "comma is missing", "{ key = value"),
        ("table = { a = 1, }", "comma stands before", "{ key = value }"),
        ("[sides.x", "heading is not closed", "[name]"),
        ("= 5", "neither key = value nor", "#"),
        ('instance = "a"\ninstance = "b"', "stands twice", "keep one"),
        ("[bot]", "the table [bot] stands twice", "one heading"),
        ("[[bot]]", "stands twice", "keep one"),
        ("[]", "a name is missing", ""),
        ("n = " + "9" * 5000, "too long", "shorter"),
        ("n = " + "[" * 3000 + "]" * 3000, "nested too deeply", ""),
    ],
)
def test_broken_toml_is_told_in_plain_words_with_its_line(tmp_path: Path, line: str, what: str, instead: str) -> None:
    problems = problems_of(tmp_path, f'[bot]\nhere = "x"\n{line}\nthere = "y"\n')
    (problem,) = problems
    assert what in problem.what, problem
    assert instead in problem.instead
    assert problem.line in (3, 4) or "deeply" in what or "too long" in what


def test_a_broken_line_never_shows_the_secret_in_it(tmp_path: Path) -> None:
    for line in (
        f"token = {HIDDEN}",
        f"auth = {{ user = u, token = {HIDDEN} }}",
        f'token = "{HIDDEN}',
        f"token {HIDDEN}",
    ):
        problems_of(tmp_path, line)


def test_a_list_left_open_is_told_where_it_shows(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, '[bot]\nx = [\n  "a",\n  "b"\ny = 1\n')
    assert (problem.line, "not closed" in problem.what) == (5, True)


def test_a_file_that_is_not_text_names_its_line(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, b'[bot]\ninstance = "\xff"\n')
    assert (problem.line, "UTF-8" in problem.what) == (2, True)


def test_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())[0].instance == "acme"


def test_a_file_that_cannot_be_read_is_a_problem_like_any_other(tmp_path: Path) -> None:
    for path, what in (
        (tmp_path / "no.toml", "no such file"),
        (tmp_path, "a folder"),
        (Path("a\0b"), "cannot be read"),
    ):
        with pytest.raises(ConfigProblems) as caught:
            load(path, {})
        assert what in str(caught.value)


# ── nothing but ConfigProblems ───────────────────────────────────────────────────────────────────────────────────────

EVERY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
LINES = WHOLE.strip("\n").split("\n")
SCALARS = st.sampled_from(
    """ "x" | "" | 5 | -1 | 0.5 | nan | inf | true | [] | {} | [1] | ["a"] | [[]] | [{}] | { a = 1 } | 2026-01-01
    | 07:30:00 | 1979-05-27T07:32:00Z | 999999999999999999999999999999 | "{x}" | "{" | "a.b" | { env = "OTHER" }
    | "\\u0000" | { is = 1 } | [{ is = [1] }] | "https://[x" | "1d" | "99999999d" | "incident" | "defect.everyone"
    | '(' | "x: [[a" | "mailto:x" | "\\ud7ff" """.split("|")
)


def survives(folder: Path, text: str) -> None:
    found: tuple[Problem, ...] = ()
    try:
        assert read(folder, text)[0].instance
    except ConfigProblems as problems:
        found = problems.problems or (Problem(0, 0, "", ""),)
    assert all(problem.what and HIDDEN not in str(problem) for problem in found)


@EVERY
@given(text=st.text())
def test_no_text_makes_load_raise_anything_else(tmp_path: Path, text: str) -> None:
    survives(tmp_path, text)


@EVERY
@given(data=st.binary(max_size=80))
def test_no_bytes_make_load_raise_anything_else(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "lockstep.toml").write_bytes(data)
    with pytest.raises(ConfigProblems):
        load(tmp_path / "lockstep.toml", {})


@settings(parent=EVERY, max_examples=200)
@given(edits=st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, 3), SCALARS), min_size=1, max_size=6))
def test_no_edit_of_a_good_file_makes_load_raise_anything_else(
    tmp_path: Path, edits: list[tuple[int, int, str]]
) -> None:
    lines = list(LINES)
    for place, kind, value in edits:
        key = lines[place].split("=")[0].rstrip()
        lines[place] = ["", f"{key} = {value}", lines[place] + "\n" + lines[place - 1], lines[place][: len(value) * 3]][
            kind
        ]
    survives(tmp_path, "\n".join(lines))


_KEYS = st.sampled_from(
    [*File.model_fields, "incident", "x", "id", "name", "steps", "auth", "values", "is", "set", "when"]
)
_TREES = st.recursive(
    st.sampled_from(["x", "", 5, True, 1.5, "incident", "1d", "{x}"]),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(_KEYS, below, max_size=4)),
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(below)}" for key, below in value.items()) + " }"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


@EVERY
@given(tree=st.dictionaries(_KEYS, _TREES))
def test_no_tree_of_values_makes_load_raise_anything_else(tmp_path: Path, tree: dict[str, object]) -> None:
    survives(tmp_path, "\n".join(f"{key} = {toml(value)}" for key, value in tree.items()))
