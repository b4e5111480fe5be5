"""Fails when pytest skipped a test that tests/shared_only.txt does not let it skip. Called by .ci/run.

python tests/ci_skips.py report.xml
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
LIST = HOUSE / "tests" / "shared_only.txt"
WORDS = ("shared",)


def dotted(prefix: str) -> str:
    """A test id as the report spells it: `tests/test_a.py::test_b` is `tests.test_a.test_b` there."""
    path, _, names = prefix.partition("::")
    path = path.removesuffix(".py").replace("/", ".")
    return f"{path}.{names.replace('::', '.')}" if names else path


def allowed(text: str, shared_is_here: bool) -> tuple[str, ...]:
    """The starts of the ids that may be skipped. Raises ValueError for a line without word or reason."""
    starts = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(None, 2)
        if len(parts) < 3 or parts[1] not in WORDS:
            raise ValueError(f"{LIST.name}: write an id, one of {WORDS} and a reason: {line!r}")
        if not shared_is_here:
            starts.append(dotted(parts[0]))
    return tuple(starts)


def skipped(report: Path) -> list[tuple[str, str]]:
    """(id, reason) of every skipped test; one that was expected to fail is not a skip."""
    found = []
    for case in ET.parse(report).iter("testcase"):
        skip = case.find("skipped")
        if skip is not None and skip.get("type") != "pytest.xfail":
            name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
            found.append((name, skip.get("message") or ""))
    return found


def main(report: str) -> int:
    shared_is_here = (HOUSE.parent / "shared").is_dir()
    starts = allowed(LIST.read_text(encoding="utf-8"), shared_is_here)
    wrong = [(name, why) for name, why in skipped(Path(report)) if not name.startswith(starts or ("\0",))]
    for name, why in wrong:
        print(f"skipped, and not listed in tests/{LIST.name}: {name} ({why})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
