"""docs/rules.md: every rule of the design stands there with the tests that hold it, and those exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RULES = ROOT / "docs" / "rules.md"
DESIGN = ROOT.parent / "shared" / "design.md"
shared_wanted = pytest.mark.skipif(not DESIGN.exists(), reason="wants ../shared")


def paragraphs(design: str) -> list[tuple[str, list[str]]]:
    """The rules of the design, section 3: the title of each paragraph and its sentences. A title that is no sentence of
    its own is the beginning of the first one."""
    section = design.partition("\n## 3. ")[2].partition("\n## ")[0]
    found = []
    for line in section.splitlines():
        if titled := re.match(r"\*\*(.+?)\*\*(.*)", line):
            title, rest = titled.groups()
            text = rest if title.endswith(".") else title + rest
            found.append((title.rstrip("."), re.split(r"(?<=[.!?)])\s+(?=[A-Z`(])", text.strip())))
    return found


def rows() -> list[tuple[str, str, list[str]]]:
    """The rows of the document: paragraph, rule and tests."""
    title, found = "", []
    for line in RULES.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            title = line[3:]
        elif title and line.startswith("| ") and line != "| rule | tests |":
            rule, tests = (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:3])
            found.append((title, rule.replace("\\|", "|"), re.findall(r"`(tests/[^`]+)`", tests)))
    return found


def exists(test: str) -> bool:
    """Whether a test, named by file and function, is there."""
    path, _, name = test.partition("::")
    file = ROOT / path
    return file.is_file() and re.search(rf"def {re.escape(name)}\(", file.read_text(encoding="utf-8")) is not None


def test_every_test_that_a_rule_names_exists() -> None:
    assert [test for _, _, tests in rows() for test in tests if not exists(test)] == []


def test_no_rule_is_without_a_test() -> None:
    assert [rule for _, rule, tests in rows() if not tests] == []


def test_no_rule_stands_twice() -> None:
    rules = [rule for _, rule, _ in rows()]
    assert sorted({rule for rule in rules if rules.count(rule) > 1}) == []


@pytest.mark.shared
@shared_wanted
def test_every_sentence_of_the_design_s_rules_stands_here_word_by_word_in_its_order() -> None:
    wanted = [
        (title, rule) for title, sentences in paragraphs(DESIGN.read_text(encoding="utf-8")) for rule in sentences
    ]
    assert [(title, rule) for title, rule, _ in rows()] == wanted
