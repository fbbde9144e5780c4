"""The bugs on purpose: off unless a flag says otherwise, and each where the catalogue says."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import DeadlineExceeded
from openfeature import api
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import faults
from faults import catalogue, store, switch
from stack.rehearsal import flags, scenario

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions"
NAMES = [fault.name for fault in catalogue.FAULTS]
MACHINERY = {
    "__init__",
    "catalogue",
    "composite_indexes",
    "instance",
    "provider",
    "store",
    "switch",
}


class Flags:
    """Stands in for Firestore, whose answers have to fail on demand and be counted."""

    def __init__(self, **documents: dict[str, Any]) -> None:
        self.documents = documents
        self.reads = 0
        self.broken = False

    def collection(self, name: str) -> Flags:
        assert name == store.COLLECTION == flags.COLLECTION
        return self

    def get(self, *, retry: object, timeout: float) -> list[Any]:
        assert (retry, timeout) == (None, store.READ_TIMEOUT_SECONDS)
        self.reads += 1
        if self.broken:
            raise DeadlineExceeded("too slow")  # type: ignore[no-untyped-call]
        return [Snapshot(name, found) for name, found in self.documents.items()]


class Snapshot:
    """One document."""

    def __init__(self, name: str, found: dict[str, Any]) -> None:
        self.id = name
        self.to_dict = lambda: found


@pytest.fixture
def obeying() -> Iterator[Flags]:
    """Flags that the faults go by, until the test ends."""
    found = Flags()
    faults.obey(lambda: found)  # type: ignore[arg-type,return-value]
    yield found
    switch._obeyed.clear()
    api.clear_providers()


def places_asked() -> list[tuple[str, str]]:
    """Each fault that is asked for, with the Box Office's module that asks, or "page"."""
    found = [
        (name, path.stem)
        for path in (FUNCTIONS / "boxoffice").glob("*.py")
        for name in re.findall(r'faults\.on\("([^"]+)"\)', path.read_text())
    ]
    for path in (FUNCTIONS.parent / "frontend" / "src" / "faults").glob("*.ts"):
        if re.search("^export const REPLACES", path.read_text(), re.MULTILINE):
            found.append(
                (re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", path.stem), "page")
            )
    return found


def test_each_fault_is_asked_for_once_where_the_catalogue_says() -> None:
    """One seam each, so that a reader finds it, and none that nobody can turn on."""
    listed = sorted((fault.name, fault.where) for fault in catalogue.FAULTS)
    assert sorted(places_asked()) == listed


def test_each_module_is_one_faults_wrong_code() -> None:
    """Named after it."""
    modules = {path.stem for path in (FUNCTIONS / "faults").glob("*.py")} - MACHINERY
    assert {module.replace("_", "-") for module in modules} <= set(NAMES)


def test_each_fault_has_one_scenario_and_weather_belongs_to_one() -> None:
    """Whoever adds a fault shows how to find it."""
    scenarios = scenario.load_all().values()
    wrong = [fault.name for fault in catalogue.FAULTS if fault.kind != "weather"]
    assert sorted(found.fault for found in scenarios) == sorted(wrong)
    weather = {fault.name for fault in catalogue.FAULTS if fault.kind == "weather"}
    assert {name for found in scenarios for name in found.weather} == weather


def test_a_scenario_waits_longer_than_a_flag_is_kept() -> None:
    """Or a function could still go by what it read before."""
    assert flags.OBEYED_SECONDS > store.CACHE_SECONDS


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_off_where_nobody_said_to_obey_flags(name: str) -> None:
    """As in production, where main.py doesn't say so."""
    assert faults.on(name) is False


@pytest.mark.parametrize(
    ("under_way", "who_go_on"),
    [
        ("a", ""),
        ("ab", ""),
        ("abc", "abc"),
        ("abcd", "abc"),
        ("abcdef", "abcdef"),
    ],
)
def test_orders_meet_three_at_a_time(under_way: str, who_go_on: str) -> None:
    """Each waits for those that came with it, and goes on however many come after."""
    have_met = faults.firestore_is_far.have_met
    assert [order for order in under_way if have_met(list(under_way), order)] == list(who_go_on)


def test_nobody_waits_once_the_weather_is_another() -> None:
    """A flag that was set anew knows nothing of who came before."""
    assert faults.firestore_is_far.have_met([], "a")


@pytest.mark.parametrize("nothing", ["nobody said to obey flags", "no flag is on"])
def test_what_is_off_costs_a_cold_start_nothing(nothing: str) -> None:
    """OpenFeature is imported where a flag is on, and only there."""
    asked = """
import sys, types, faults
if sys.argv[1] == "no flag is on":
    flags = types.SimpleNamespace(get=lambda **how: [])
    faults.obey(lambda: types.SimpleNamespace(collection=lambda name: flags))
print(faults.on(sys.argv[2]), "openfeature" in sys.modules)
"""
    command = [sys.executable, "-c", asked, nothing, NAMES[0]]
    said = subprocess.run(command, cwd=FUNCTIONS, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False False"


def test_a_fault_that_there_is_not_is_an_error_that_names_it() -> None:
    """A misspelt name would be off for ever."""
    with pytest.raises(KeyError, match="no fault 'no-such'"):
        faults.on("no-such")


@pytest.mark.parametrize(
    ("document", "is_on"),
    [({"on": True}, True), ({"on": False}, False), ({}, False), ({"on": "yes"}, False)],
)
def test_a_document_turns_its_fault_on(
    obeying: Flags, document: dict[str, Any], is_on: bool
) -> None:
    """With `on: true`, and nothing else will do."""
    obeying.documents["drops-the-context"] = document
    assert faults.on("drops-the-context") is is_on
    assert faults.on("keeps-late-money") is False


def test_flags_are_read_once_for_all_that_ask_within_a_second() -> None:
    """A request that asks for many faults reads once; a second later the next one reads anew."""
    now, found = [0.0], Flags()
    kept = store.FlagStore(lambda: found, lambda: now[0])  # type: ignore[arg-type,return-value]
    assert [kept.on() for _ in NAMES] == [frozenset()] * len(NAMES)
    now[0] = store.CACHE_SECONDS - 0.01
    kept.on()
    assert found.reads == 1
    found.documents[NAMES[0]] = {"on": True}
    now[0] = store.CACHE_SECONDS
    assert kept.on() == {NAMES[0]}
    assert found.reads == 2


def test_flags_whose_reading_took_too_long_are_read_again() -> None:
    """On a busy machine, what a slow read found may be older than anybody waited for."""
    now, found = [0.0], Flags()

    def slow_at_first() -> Flags:
        if found.reads == 0:
            now[0] += store.CACHE_SECONDS
        else:
            found.documents[NAMES[0]] = {"on": True}
        return found

    kept = store.FlagStore(slow_at_first, lambda: now[0])  # type: ignore[arg-type]
    assert kept.on() == {NAMES[0]}
    assert found.reads == 2


def test_flags_that_can_not_be_read_are_off_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No request fails for a flag, and none waits for it more than once a second."""
    now, found = [0.0], Flags(**{NAMES[0]: {"on": True}})
    kept = store.FlagStore(lambda: found, lambda: now[0])  # type: ignore[arg-type,return-value]
    assert kept.on() == {NAMES[0]}
    found.broken = True
    with caplog.at_level(logging.WARNING):
        for now[0] in (1.0, 1.5, 2.0, 3.0):
            assert kept.on() == set()
    assert found.reads == 4
    assert [record.message for record in caplog.records] == [
        "The faults' flags can't be read, so all are off: 504 too slow"
    ]
    found.broken = False
    now[0] = 4.0
    assert kept.on() == {NAMES[0]}


def test_a_fault_that_is_on_is_an_event_on_the_span(obeying: Flags) -> None:
    """In the words of the semantic conventions for feature flags; one that is off says nothing."""
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    obeying.documents["drops-the-context"] = {"on": True}
    with trace.use_span(tracers.get_tracer("test").start_span("charge"), end_on_exit=True):
        assert faults.on("drops-the-context")
        assert not faults.on("keeps-late-money")
    (event,) = exporter.get_finished_spans()[0].events
    assert event.name == "feature_flag.evaluation"
    assert dict(event.attributes or {}) == {
        "feature_flag.key": "drops-the-context",
        "feature_flag.provider.name": "firestore",
        "feature_flag.result.variant": "on",
        "feature_flag.result.reason": "static",
    }
