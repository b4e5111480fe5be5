"""Fixtures that several test files share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from sync.log import configure
from tests.fidelity import specs
from tests.world import Begin, World, indoors

# a machine's proxies, authorities and passwords are none of the tests': what they ask for is on loopback
for _name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)
for _name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
    os.environ.pop(_name, None)
os.environ["NETRC"] = os.devnull
# nor is the width or the colour of the terminal that a run happens to have
for _name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
    os.environ.pop(_name, None)

# every answer of the simulated trackers is held against the published specifications, where these are there
pytest_plugins = ["tests.fidelity.plugin"] if specs.available() else []

# in CI the same examples each time: a landing must not hang on luck; by hand new ones are looked for
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A large part of the year's incidents is played in CI, by hand a taste of it. Its two runs are the longest tests:
    one stands at the head of each worker's half."""
    passed_over = "taste" if os.environ.get("CI") else "year"
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker(passed_over)])
    wanted = [item for item in items if not item.get_closest_marker(passed_over)]
    long = [item for item in wanted if item.get_closest_marker("year")]
    short = [item for item in wanted if item not in long]
    half = len(wanted) // 2
    items[:] = [*long[:1], *short[: half - 1], *long[1:], *short[half - 1 :]] if long else short


@pytest.fixture(autouse=True)
def _quiet_log() -> None:
    configure("error")


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begins a world without sockets, which ends with the test."""
    with ExitStack() as ends:

        def one(edit: Callable[[str], str] = lambda text: text) -> World:
            return ends.enter_context(indoors(tmp_path, edit))

        yield one


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()
