"""The banner of a copy: made for one item under one secret, it verifies there and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.banner import ROOM, Banner, banner, creation_key, link_key, origin_token, verified
from mappings.model import Mark, Ref
from tests.builders import DEFECT, INCIDENT, PBI

TOKEN = origin_token("hush", "snow", "c1")
LINE = banner("hush", "Ann", "INC1", TOKEN, DEFECT)
PART = banner("hush", "Ann", "INC1", TOKEN, DEFECT, 2, 3)


def test_the_format_is_final() -> None:
    assert LINE == "Ann on INC1 · lockstep HPHG24PPIGE3P.2GLGJSPW"
    assert verified(["hush"], LINE, DEFECT) == Banner(TOKEN, 1, 1)


def test_a_part_names_which_of_how_many_it_is() -> None:
    assert PART.endswith(" 2/3")
    assert verified(["hush"], PART, DEFECT) == Banner(TOKEN, 2, 3)


@pytest.mark.parametrize(
    "text",
    [
        LINE.replace("·", "-"),
        "> " + LINE.replace(" · ", "\n · "),
        "He wrote:\n" + LINE,
        LINE + " 1/2",
        LINE[:-1] + ("A" if LINE[-1] != "A" else "B"),
        LINE.lower(),
        PART.replace(" 2/3", " 1/3"),
        PART.replace(" 2/3", " 2/4"),
        PART.replace(" 2/3", ""),
        LINE + "!",
    ],
)
def test_what_is_forged_quoted_or_altered_does_not_verify(text: str) -> None:
    assert verified(["hush"], text, DEFECT) is None


def test_a_banner_moved_to_another_item_or_under_another_secret_does_not_verify() -> None:
    assert verified(["hush"], LINE, INCIDENT) is None
    assert verified(["hush"], LINE, Ref("jira", "d2")) is None
    assert verified(["another"], LINE, DEFECT) is None


def test_a_banner_of_a_secret_that_was_rotated_out_still_verifies() -> None:
    assert verified(["new", "hush"], LINE, DEFECT) == Banner(TOKEN, 1, 1)


@given(st.text(), st.text(), st.integers(1, 40), st.integers(0, 40))
def test_whatever_people_are_called_their_banner_is_one_line_of_bounded_length_and_verifies(
    who: str, key: str, part: int, more: int
) -> None:
    line = banner("hush", who, key, TOKEN, PBI, part, part + more)
    assert len(line.splitlines()) == 1 and len(line) <= ROOM
    assert not set(line) & set("[]{}*_|<>&~^+\\@\x00\x07\x7f")
    line.encode()
    assert verified(["hush"], f"{line}\nthe text", PBI) == Banner(TOKEN, part, part + more)


@given(st.text())
def test_no_text_of_chance_verifies(text: str) -> None:
    assert verified(["hush"], text, DEFECT) is None


def test_keys_are_named_by_all_that_they_are_of() -> None:
    keys = {
        link_key("a", INCIDENT),
        link_key("ai", Ref("snow", "1")),
        link_key("a", Ref("isnow", "1")),
        creation_key("a", "r", INCIDENT),
        creation_key("a", "s", INCIDENT),
    }
    assert len(keys) == 5 and {len(key) for key in keys} == {20}


def test_the_keys_of_a_mark_are_read_back_from_anywhere_in_a_text() -> None:
    mark = Mark("i", link_key("a", INCIDENT), creation_key("a", "r", INCIDENT), "20261116100000")
    assert len(mark.keys()) == 69
    assert Mark.parse("i", f"somebody wrote\n{mark.keys()} and more:words") == mark


def test_a_key_that_people_broke_is_passed_over() -> None:
    assert Mark.parse("i", f"link:{'A' * 21} made: at:") == Mark("i")
