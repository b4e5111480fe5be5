"""The people, the weather and the wires of simulated histories: a seed says all, and memory behaves like a socket."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from hashlib import blake2b

import pytest
import requests
from urllib3.util.retry import Retry

from sandbox.clock import SandboxClock
from sandbox.estate import JIRA_TOKEN, Estate
from sandbox.faults import Fault, Faults
from sandbox.inside import Pipe, Within, inside
from sandbox.jira import Jira
from sandbox.people import PROFILES, People, Step, script_of
from sandbox.people.hands import Nothing
from sandbox.people.people import DEEDS
from sandbox.people.script import OURS
from sandbox.people.weather import LANDS, STORMS, WRECKS, Weather, wreck
from sandbox.server import RequestLog, Server
from sandbox.story import MORNING

PRINT = "from tests.test_people import scripts; print(scripts())"
Tale = list[tuple[str, object]]


def scripts() -> str:
    """A digest of what every profile makes of a few seeds."""
    told = [script_of(profile, seed) for profile in PROFILES.values() for seed in range(5)]
    return blake2b(repr(told).encode(), digest_size=16).hexdigest()


def test_a_seed_makes_the_same_script_in_every_process() -> None:
    other = subprocess.run([sys.executable, "-c", PRINT], capture_output=True, text=True, env={"PYTHONHASHSEED": "7"})
    assert other.stdout.strip() == scripts()
    assert len({script_of(PROFILES["plain"], seed).steps for seed in range(20)}) == 20


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_names_only_what_there_is(name: str) -> None:
    one = PROFILES[name]
    assert set(one.acts) <= set(DEEDS)
    assert {*one.begin, *one.end} <= {*DEEDS, *OURS}
    assert set(one.between) <= OURS
    assert set(one.storms) <= set(STORMS)
    assert set(one.land) <= set(LANDS)
    assert {script_of(one, seed).sweeps for seed in range(40)} == ({True} if one.sweeps == 1 else {True, False})


def test_every_act_and_every_weather_stands_in_a_profile() -> None:
    assert {kind for one in PROFILES.values() for kind in (*one.acts, *one.end)} == set(DEEDS)
    assert {kind for one in PROFILES.values() for kind in one.storms} == set(STORMS)
    assert {kind for one in PROFILES.values() for kind in one.land} == set(LANDS)


def test_a_step_taken_away_leaves_the_others_as_they_were() -> None:
    def lived(steps: list[Step]) -> list[tuple[str, str, object, str]]:
        people = People(Estate(MORNING, doors=False), room=9)
        return [(act.side, act.kind, act.fields, act.text) for step in steps for act in people.do(step)]

    kinds = ["incident", "incident", "defect", "tend", "comment", "title", "rank", "comment", "state", "whisper"]
    steps = [Step(kind, 1000 + number) for number, kind in enumerate(kinds)]
    whole = lived(steps)
    assert len(whole) >= len(steps) - 1  # nothing to tend yet
    assert lived(steps[:4] + steps[5:]) == [act for act in whole if act != whole[3]]


def test_what_a_tracker_refuses_or_shows_already_is_no_act() -> None:
    people = People(Estate(MORNING, doors=False))
    people.do(Step("defect", 1))
    (id,) = people.ids("defect")
    shown = people.shown("defect", id, {"priority": ""})
    before = people.estate.jira.history(id)
    with pytest.raises(Nothing):
        people.update("defect", id, "Ana Ruiz", shown)
    for seed in range(5):
        people.do(Step("reopen", seed))
    assert people.estate.jira.history(id) == before
    assert [act.kind for act in people.acts] == ["create"]


# ── weather ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("storm", STORMS)
def test_a_storm_that_is_over_leaves_the_trackers_as_they_were(storm: str) -> None:
    estate = Estate(MORNING, doors=False)
    weather = Weather(estate, PROFILES["plain"], 1, sweeps=False)

    def settings() -> list[object]:
        snow, jira = estate.servicenow, estate.jira
        return [repr(one) for one in (snow.rights, snow.quota, estate.azure.switches, jira.site.denied, jira.switches)]

    before = settings()
    changed = False
    for seed in range(12):
        faults = STORMS[storm](weather, Step("storm", seed).draw())
        changed = changed or bool(faults) or settings() != before
        estate.faults.paused = False
        weather.over()
        assert settings() == before
        assert weather.calm and not estate.jira.limits.on
    assert changed


# ── memory and sockets ───────────────────────────────────────────────────────────────────────────────────────────────


def tale(port: int | None, fault: Fault | None, **headers: str) -> Tale:
    """What a client sees of three calls, the first of them struck; and how many were answered, unless late."""
    faults, log, clock = Faults(), RequestLog(), SandboxClock(MORNING)
    if fault:
        faults.add(fault)
    server = Server(Jira("jira", clock, address="http://jira.example"), clock, faults, log, port).start()
    seen: Tale = []

    def call(path: str) -> None:
        try:
            answer = session.get(f"{server.url}{path}", timeout=(5, 0.2), headers=headers)
            seen.append((str(answer.status_code), len(answer.content)))
        except requests.RequestException as error:
            seen.append((type(error).__name__, 0))

    with requests.Session() as session, inside({server.host: server}) if port is None else nullcontext():
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=Retry(0, read=False)))
        session.auth = ("lockstep@example.org", JIRA_TOKEN)
        for path in ("/rest/api/2/serverInfo", "/rest/api/2/myself", "/rest/api/2/field"):
            call(path)
    server.stop()
    return [*seen, ("answered", len(log.entries) if not fault or not fault.seconds else 0)]


@pytest.mark.parametrize("kind", [*WRECKS, "none"])
def test_a_client_sees_in_memory_what_it_sees_over_a_socket(kind: str) -> None:
    def fault() -> Fault | None:
        if kind == "none":
            return None
        (one,) = wreck(kind, Step("storm", 3).draw(), nth=(1,))
        one.seconds = 0.5 if one.seconds else 0.0  # of real time, over the socket
        return one

    assert tale(None, fault()) == tale(0, fault())


@pytest.mark.parametrize(("headers", "connections"), [({}, 1), ({"Connection": "close"}, 3)])
def test_a_connection_in_memory_is_kept_until_a_side_closes_it(
    headers: dict[str, str], connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Pipe] = []

    class Counted(Pipe):
        def __init__(self, within: Within, host: str) -> None:
            super().__init__(within, host)
            made.append(self)

    monkeypatch.setattr("sandbox.inside.Pipe", Counted)
    assert [status for status, _ in tale(None, None, **headers)] == ["200", "200", "200", "answered"]
    assert len(made) == connections
