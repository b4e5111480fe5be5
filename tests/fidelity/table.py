"""The table of docs/sandbox.md: each behaviour of the simulated trackers with its source and the test that shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.fidelity import specs

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "sandbox.md"
SHARED = ROOT.parent / "shared"
_PAGE = re.compile(r"(apis|stack|goals|design)\.md(?: ([\w., ]+))?")
_OPERATION = re.compile(r"(v3|v2|DC|wit|core|git|hooks) (GET|POST|PUT|PATCH|DELETE|OPTIONS) (\S+)")
_EXAMPLE = re.compile(r"(?:examples/\w+/)?([\w-]+\.json)")
#: sources that lie elsewhere: vendors' pages and standards, reports in public threads, what no tracker is asked for
_ELSEWHERE = re.compile(
    r"RFC \d+|[\w./-]+ #\d+|docs \S+|[\w-]+-api docs|(ServiceNow|Microsoft) docs|Atlassian Support|developer community|"
    r"DC \(|atlassian-renderer \w+|sys_dictionary|`jira\.search|the sandbox's own|act \w+|not settled|switch"
)


@dataclass(frozen=True, slots=True)
class Row:
    behaviour: str
    source: str
    test: str

    @property
    def sources(self) -> list[str]:
        return [part.strip() for part in self.source.split(";") if part.strip()]


def rows() -> list[Row]:
    """The rows whose last cell names tests."""
    found = []
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and "::" in cells[2]:
            found.append(Row(cells[0], cells[1], cells[2].replace("`", "")))
    return found


def tests_of(row: Row) -> list[str]:
    """``file.py::test_name`` of each test that the row names."""
    return re.findall(r"\w+\.py::\w+", row.test)


@cache
def tests_in(file: str) -> frozenset[str]:
    """The names of the tests in a file, with those that its classes inherit from the contract."""
    found = set()
    for path in (ROOT / "tests" / file, ROOT / "tests" / "contract.py"):
        if path.exists():
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return frozenset(found) if (ROOT / "tests" / file).exists() else frozenset()


def missing_tests(row: Row) -> list[str]:
    named = tests_of(row)
    return [one for one in named if one.partition("::")[2] not in tests_in(one.partition("::")[0])] or (
        [] if named else ["no test"]
    )


def unknown_sources(row: Row) -> Iterator[str]:
    """The parts of the source that do not lead anywhere."""
    if not row.sources:
        yield "no source"
    for part in row.sources:
        if not (page(part) or operation(part) or example(part) or _ELSEWHERE.match(part)):
            yield part


def page(part: str) -> bool:
    """A page of ../shared, and a section that it has."""
    cited = _PAGE.match(part)
    if cited is None:
        return False
    text = (SHARED / f"{cited[1]}.md").read_text(encoding="utf-8")
    return all(has_section(text, one) for one in re.findall(r"[A-Z]?\d+(?:\.\d+)?", cited[2] or ""))


def has_section(text: str, number: str) -> bool:
    """A heading, a row of a table of goals, or a numbered entry below a heading (0.1 is the first of section 0)."""
    chapter, _, entry = number.partition(".")
    heading = re.search(rf"^(#+ |\| ){re.escape(number)}\b", text, re.MULTILINE)
    within = re.search(rf"^## {chapter}\. .*?^{entry}\. ", text, re.MULTILINE | re.DOTALL) if entry else None
    return bool(heading or within)


def operation(part: str) -> bool:
    """An operation of a specification, its path whole or from a slash on."""
    cited = _OPERATION.match(part)
    if cited is None:
        return False
    wanted = "/" + cited[3].rstrip(",").partition("?")[0].lstrip("/").lower()
    known = ((method, path.partition("?")[0].lower()) for method, path, _ in specs.operations(specs.document(cited[1])))
    return any(method == cited[2] and path.endswith(wanted) for method, path in known)


def example(part: str) -> bool:
    cited = _EXAMPLE.match(part)
    return cited is not None and any((SHARED / "specs" / "examples").rglob(cited[1]))


def missing_switches(row: Row) -> list[str]:
    """The switches that the source names and the sandbox has not."""
    named = re.findall(r"switch(?:es)? ([\w`., ]+)", row.source)
    words = {word for text in named for word in re.findall(r"\w+", text.replace(" and ", " "))}
    return sorted(word for word in words if not re.search(rf"\b{word}\b", sandbox_source()))


@cache
def sandbox_source() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "sandbox").rglob("*.py")))
