"""The rules of the house that import contracts cannot see."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = ("connectors", "mappings", "sandbox", "sync")
WRITES = {"create", "update", "adopt", "unmark", "say", "reword", "show"}


def sources(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_nothing_imports_the_command_line() -> None:
    assert [str(path) for path, tree in sources(*PRODUCT) if "bot" in imports(tree)] == []


def test_sync_never_names_a_tracker() -> None:
    named = re.compile(r"servicenow|jira|azure|pysnow|sys_id|correlation", re.IGNORECASE)
    slips = [
        f"{path}:{node.lineno}"
        for path, tree in sources("sync")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and named.search(node.value)
        if not is_docstring(tree, node)
    ]
    assert slips == []


def is_docstring(tree: ast.Module, constant: ast.Constant) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and first.value is constant:
                return True
    return False


def test_only_apply_and_settle_write_to_a_tracker() -> None:
    """``apply`` sends intents, ``settle`` repeats the one idempotent write that a crash may have left out."""
    callers = {
        str(path)
        for path, tree in sources("sync")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITES
        and "connector" in ast.unparse(node.func.value)
    }
    assert callers == {"sync/apply.py", "sync/settle.py"}


def test_what_says_that_it_is_pure_is_held_to_it() -> None:
    """By the import contract, which sees what a module imports through others too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (one for one in project["tool"]["importlinter"]["contracts"] if one["id"] == "pure")
    held = tuple(name.replace(".", "/") for name in contract["source_modules"])
    says = [path for path, tree in sources(*PRODUCT) if re.search(r"\bPure\b", ast.get_docstring(tree) or "")]
    assert [str(path) for path in says if not str(path.with_suffix("")).startswith(held)] == []
    assert [name for name in held if not (ROOT / name).is_dir() and not (ROOT / f"{name}.py").is_file()] == []


def test_the_sandbox_and_the_bot_share_nothing() -> None:
    assert [str(p) for p, tree in sources("sandbox") if imports(tree) & {"connectors", "mappings", "sync"}] == []
    assert [str(p) for p, tree in sources("connectors", "mappings", "sync") if "sandbox" in imports(tree)] == []


@pytest.mark.parametrize("arguments", [["--help"], ["plan", "--help"], ["run", "--help"]])
def test_help_imports_no_client_library(arguments: list[str]) -> None:
    told = "print(sorted(sys.modules), file=sys.stderr)"
    script = f"import sys, bot\ntry: bot.main(sys.argv[1:])\nexcept SystemExit: pass\n{told}"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "Usage" in done.stdout
    for heavy in ("pysnow", "jira", "azure", "msal", "sqlalchemy", "pydantic", "rich", "requests"):
        assert f"'{heavy}'" not in done.stderr
