"""The example shows every key and its default, the schema knows them, and every key has its place."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from connectors.auth import ApiKey, Bearer, ClientCredentials, Entra, EntraCertificate
from connectors.installed import KINDS
from mappings.fields import TYPES
from sync.config import ConfigProblems, load, load_with_warnings, schema
from sync.config.positions import positions
from sync.config.tables.base import SecretRef
from sync.config.tables.bot import Bot, Guard
from sync.config.tables.file import File
from sync.config.tables.places import Tracker
from sync.config.tables.process import FieldTable
from tests.config_files import ENVIRON, EXAMPLE, HIDDEN, WHOLE

# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_places_are_found_in_every_form_toml_has() -> None:
    text = '''a.b = 1
[x]
k = { p = 1, "q r".s = [ 1, { z = "}" } ] } # c = 1
d = 2026-11-01 08:00:00
m = """
 ] "" """""
[[l]]
 n = 'x#'
 [[l.s]]
 e=1
 [l.s.t]
 f=[
  1,
  # c
  [2],
 ]
[[l]]
n=2
'''
    found = positions(text)
    for path, place in {
        ("a", "b"): (1, 1),
        ("x",): (2, 2),
        ("x", "k", "q r", "s", 1, "z"): (3, 31),
        ("x", "d"): (4, 1),
        ("l", 0, "n"): (8, 2),
        ("l", 0, "s", 0, "t", "f", 1, 0): (15, 4),
        ("l", 1, "n"): (18, 1),
    }.items():
        assert found[path] == place


def paths_of(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in below:
        yield (*path, part)
        yield from paths_of(inner, (*path, part))


def test_every_key_of_a_real_file_has_its_place() -> None:
    for text in (WHOLE, EXAMPLE.read_text()):
        found = positions(text)
        for path in paths_of(tomllib.loads(text)):
            line, column = found[path]
            if isinstance(path[-1], str):
                word = text.split("\n")[line - 1][column - 1 :]
                assert path[-1].split(".")[0] in word.split("=")[0], path


# ── the example, the schema, the import ──────────────────────────────────────────────────────────────────────────────

EXAMPLE_ENVIRON = dict.fromkeys(("LOCKSTEP_SECRET", "SERVICENOW_PASSWORD", "JIRA_TOKEN", "AZURE_PAT"), HIDDEN)


def test_the_example_loads_without_a_warning(tmp_path: Path) -> None:
    setup, warnings = load_with_warnings(EXAMPLE, EXAMPLE_ENVIRON)
    assert warnings == []
    assert [route.opens for route in setup.routes] == ["defect", "pbi", "pbi"]


def test_the_example_names_each_environment_variable_it_needs() -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(EXAMPLE, {})
    assert set(re.findall(r"variable (\w+) is not set", str(caught.value))) == set(EXAMPLE_ENVIRON)


def tables(model: type[BaseModel], place: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    yield place, model
    for name, known in model.model_fields.items():
        for below in models_in(known.annotation):
            yield from tables(below, place or known.alias or name)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for below in get_args(annotation):
        yield from models_in(below)


def section(top: str) -> str:
    """Every line of the example under headings of one top-level table, those behind a # too."""
    lines, inside = [], not top
    for line in EXAMPLE.read_text().split("\n"):
        if heading := re.match(r"\s*#?\[\[?(\w+)", line):
            inside = heading[1] == top or not top
        lines += [line] if inside else []
    return "\n".join(lines)


@pytest.mark.parametrize("top, model", sorted({(t, m) for t, m in tables(File)}, key=str))
def test_the_example_shows_every_key(top: str, model: type[BaseModel]) -> None:
    text = section("" if issubclass(model, SecretRef) else top)
    for name, known in model.model_fields.items():
        key = known.alias or name
        if key == "plain":
            continue
        headed = re.search(rf"^\s*#?\[\[?[\w.]*\b{key}\b", text, re.M)
        assert headed or re.search(rf"(?:^\s*#?|[{{,] *){key} *= ", text, re.M), f"{top}: {key} of {model.__name__}"


def defaults() -> Iterator[tuple[type[BaseModel], str, object]]:
    shown = {
        line.split("=")[0].strip("# "): line for line in EXAMPLE.read_text().split("\n") if re.match(r"#\w+ *=", line)
    }
    for model in (Bot, Guard, Tracker):
        for name in set(shown) & set(model.model_fields):
            if not model.model_fields[name].is_required() and model.model_fields[name].default not in (None, ""):
                yield model, name, tomllib.loads(shown[name].removeprefix("#"))[name]


def test_the_defaults_the_example_shows_are_the_defaults() -> None:
    found = list(defaults())
    assert {name for _, name, _ in found} >= {"state", "poll", "sweep", "workers", "writes", "timeout", "mark_fields"}
    for model, name, shown in found:
        default = model.model_fields[name].default
        assert shown == getattr(default, "plain", default), name


def signing_in(text: str, turn: int) -> str:
    """The example with each tracker's other way to sign in: the one of that turn, or its last."""

    def chosen(shown: re.Match[str]) -> str:
        ways = shown[1].splitlines()
        return ways[min(turn, len(ways) - 1)] + "\n"

    return re.sub(r"^auth .*\n((?:#auth .*\n)+)", chosen, text, flags=re.M)


@pytest.mark.parametrize(
    "turn, servicenow, azure",
    [(0, ClientCredentials, Entra), (1, ApiKey, EntraCertificate), (2, Bearer, EntraCertificate)],
)
def test_what_the_example_shows_behind_a_hash_works_too(
    tmp_path: Path, turn: int, servicenow: type, azure: type
) -> None:
    (tmp_path / "company-ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    (tmp_path / "azure").write_text(HIDDEN)
    (tmp_path / "azure.pem").write_text("-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----")
    text = signing_in(EXAMPLE.read_text().replace("/run/secrets/azure", "azure"), turn)
    text = re.sub(r"^(\s*)#(?=[\w\[])", r"\1", text, flags=re.M)
    text = text.replace('ca      = ""', 'ca = "company-ca.pem"').replace('proxy   = ""', 'proxy = "http://p:1"')
    names = ("SERVICENOW_TOKEN", "SERVICENOW_SECRET", "SERVICENOW_KEY")
    (tmp_path / "people.csv").write_text("name,email\nAnn Lee,ann@example.org\n")
    addresses = dict.fromkeys(("TEAMS_TRIAGE_URL", "HEARTBEAT_URL", "PAGER_URL", "PAGER_SECRET"), "https://x")
    environ = {**EXAMPLE_ENVIRON, **ENVIRON, **dict.fromkeys(names, "x"), **addresses}
    (tmp_path / "lockstep.toml").write_text(text)
    setup, warnings = load_with_warnings(tmp_path / "lockstep.toml", environ)
    assert warnings == []
    assert [type(setup.trackers[name].auth) for name in ("servicenow", "azure")] == [servicenow, azure]
    assert setup.trackers["servicenow"].ca == str(tmp_path / "company-ca.pem")
    assert setup.teams["triage"].ca == setup.trackers["servicenow"].ca
    assert setup.rules[0].steps[1].teams == "triage"


def test_the_schema_is_plain_json_and_knows_the_keys() -> None:
    made = json.loads(json.dumps(schema()))
    assert set(made["properties"]) == set(File.model_fields)
    definitions = made["$defs"]
    assert definitions["Tracker"]["properties"]["kind"]["enum"] == list(KINDS)
    assert definitions["Bot"]["additionalProperties"] is False
    assert "from" in definitions["RouteTable"]["properties"]


def test_the_types_of_fields_are_the_models_own() -> None:
    assert get_args(FieldTable.model_fields["type"].annotation) == TYPES


def test_importing_loads_neither_holidays_nor_conditions() -> None:
    code = "import sys, sync.config; print({'holidays', 'cel_expr_python', 'sqlalchemy', 'jira'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
