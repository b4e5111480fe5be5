"""Which code was run: what counts of one must not be added to what counts of another."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: what decides what a history comes to
PARTS = ("bot.py", "connectors", "mappings", "sync", "sandbox", "tests/simulation")
#: what does not: seeds that were found
ASIDE = {"seeds.toml", "found.toml"}


def sources() -> Iterator[Path]:
    for part in PARTS:
        place = ROOT / part
        found = place.rglob("*") if place.is_dir() else (place,)
        yield from sorted(one for one in found if one.suffix in (".py", ".toml") and one.name not in ASIDE)


def source_digest() -> str:
    """Of the engine and of the histories, names and texts."""
    digest = blake2b(digest_size=8)
    for path in sources():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def commit() -> str:
    """The commit that is checked out, with a word where the tree differs from it; empty outside a repository."""
    head = git("rev-parse", "--short=10", "HEAD")
    return f"{head} and changes" if head and git("status", "--porcelain", "--", *PARTS) else head


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
