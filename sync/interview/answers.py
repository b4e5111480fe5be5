"""What the admin answered: trackers with their ways to sign in, and sides. Secrets are named by where they are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from connectors.auth import Auth, Secret
from connectors.description import Place
from connectors.installed import KINDS
from connectors.kinds import SignIn
from mappings.model import Scope
from sync.config.tables.base import SecretRef
from sync.config.tables.places import SignInKeys
from sync.setup import TrackerSettings


class Unclear(Exception):
    """An answer that cannot be used. The message says what to answer instead."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a secret is: an environment variable or a file."""

    env: str = ""
    file: str = ""

    @staticmethod
    def parse(text: str) -> Kept:
        """``env:NAME`` or ``file:/path``. Raises ``Unclear`` for anything else: it may be the secret itself."""
        kind, _, name = text.partition(":")
        if kind in ("env", "file") and name:
            return Kept(env=name) if kind == "env" else Kept(file=name)
        raise Unclear("a secret is named by where it is kept: env:NAME or file:/path")

    def secret(self, environ: Mapping[str, str], typed: Mapping[str, Secret], folder: Path) -> Secret | None:
        """The secret itself; ``None`` where it is not there."""
        if self.env:
            return Secret(environ[self.env]) if environ.get(self.env) else typed.get(self.env)
        try:
            return Secret((folder / self.file).read_text("utf-8").strip("\r\n")) or None
        except OSError:
            return None

    def __str__(self) -> str:
        return self.env or self.file


@dataclass(frozen=True, slots=True)
class TrackerAnswer:
    """A tracker: its name in the file, its kind, its address, and what signs in, key by key; a file of certificate
    authorities and a proxy where it takes these to reach it."""

    name: str
    kind: str
    url: str
    sign_in: Mapping[str, str | Kept] = field(default_factory=dict)
    ca: str = ""
    proxy: str | Kept = ""

    def way(self) -> SignIn:
        """The way to sign in that the keys make up. Raises ``Unclear``."""
        given = set(self.sign_in)
        for way in KINDS[self.kind].sign_ins:
            if set(way.keys) <= given <= {*way.keys, *way.may}:
                return way
        ways = "; or ".join(" and ".join(way.keys) for way in KINDS[self.kind].sign_ins)
        raise Unclear(f"{self.name} needs {ways}" + (f", not {' and '.join(sorted(given))}" if given else ""))

    def auth(self, environ: Mapping[str, str], typed: Mapping[str, Secret], folder: Path) -> Auth:
        """The credentials. Raises ``Unclear`` where a secret is not where it is said to be."""
        resolved: dict[str, str | Secret] = {}
        for key, value in self.sign_in.items():
            known = value.secret(environ, typed, folder) if isinstance(value, Kept) else value
            if known is None:
                raise Unclear(f"{value} does not hold the {key} of {self.name}: set it first")
            resolved[key] = known
        return self.way().make(resolved)

    def settings(self, environ: Mapping[str, str], typed: Mapping[str, Secret], folder: Path) -> TrackerSettings:
        """What a connector is built of. Raises ``Unclear`` where a secret or the certificates are not there."""
        ca = str(folder / self.ca) if self.ca else ""
        if ca and not Path(ca).is_file():
            raise Unclear(f"there is no file {self.ca}: name a file of certificates in PEM form")
        proxy = self.proxy.secret(environ, typed, folder) if isinstance(self.proxy, Kept) else Secret(self.proxy)
        if proxy is None:
            raise Unclear(f"{self.proxy} does not hold the proxy of {self.name}: set it first")
        auth = self.auth(environ, typed, folder)
        return TrackerSettings(self.name, self.kind, self.url, auth, ca=ca, proxy=proxy if self.proxy else None)


@dataclass(frozen=True, slots=True)
class SideAnswer:
    """A side: its name, its tracker, where its items live, and which of them are in scope."""

    name: str
    tracker: str
    place: Place
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def scope(self, instance: str) -> Scope:
        types = (self.place.type,) if self.place.type else ()
        return Scope(self.name, f"lockstep-{instance}", self.place.table, self.place.project, types, self.where)


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything answered. The first side opens the second."""

    instance: str
    zone: str
    trackers: tuple[TrackerAnswer, ...]
    sides: tuple[SideAnswer, ...]

    def tracker(self, name: str) -> TrackerAnswer:
        return next(tracker for tracker in self.trackers if tracker.name == name)


def secret_keys() -> frozenset[str]:
    """The keys of a sign-in whose values are secrets."""
    fields = SignInKeys.model_fields.items()
    return frozenset(name for name, field in fields if SecretRef in (field.annotation, *get_args(field.annotation)))


def place_of(kind: str, text: str) -> Place:
    """A place as it is written in an answer: a table, or project and type parted by a slash. Raises ``Unclear``."""
    project, slash, type_name = text.partition("/")
    if "table" in KINDS[kind].side_keys:
        return Place(table=text)
    if not (project and slash and type_name):
        raise Unclear(f'"{text}" is no place: write PROJECT/TYPE, such as SHOP/Bug')
    return Place(project=project, type=type_name)


def instance_of(url: str) -> str:
    """A name for the instance, of its first tracker's host."""
    host = urlsplit(url).hostname or ""
    label = host.split(".")[0]
    return (
        label
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,39}", label) and label not in ("localhost", "www")
        else "lockstep"
    )


def plain(text: str) -> str:
    """A name as the file takes it: letters, digits and _."""
    found = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return found if found[:1].isalpha() else f"side_{found}".strip("_")
