"""The bugs on purpose: off unless a flag is on, and each replaces one function of a stage."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
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
from faults.fault import Fault, Replacement
from stack.scenario_runner import flags, scenario
from tests.unit.functions.call_sites import call_sites, top_level_function

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions"
NAMES = [fault.name for fault in catalogue.FAULTS]
REPLACING = [fault for fault in catalogue.FAULTS if fault.replacement]
TARGETS = frozenset(fault.replacement.target for fault in REPLACING if fault.replacement)
DEPLOYED = sorted(
    path
    for pattern in ("main.py", "boxoffice/*.py", "throughline/*.py")
    for path in FUNCTIONS.glob(pattern)
)
LOCAL_STACK = {"cloud", "observatory", "stack", "tests"}

by_name = pytest.mark.parametrize("fault", REPLACING, ids=lambda fault: fault.name)


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
def firestore() -> Iterator[Flags]:
    """Flags that the installed faults go by, until the test ends."""
    found = Flags()
    faults.install(lambda: found)  # type: ignore[arg-type,return-value]
    yield found
    switch.uninstall()
    api.clear_providers()


def replacement_of(fault: Fault) -> Replacement:
    """What a fault replaces."""
    assert fault.replacement
    return fault.replacement


def source_of(module: str) -> str:
    """The text of a module of the functions."""
    return (FUNCTIONS / f"{module.replace('.', '/')}.py").read_text()


def module_of(path: Path) -> str:
    """The name that a file of the functions is imported by."""
    return ".".join(path.relative_to(FUNCTIONS).with_suffix("").parts)


@by_name
def test_a_target_is_a_plain_function_of_its_module(fault: Fault) -> None:
    """Top-level, undecorated and synchronous: only such a name can be replaced."""
    replaced = replacement_of(fault)
    assert top_level_function(source_of(replaced.module), replaced.function)


@by_name
def test_a_wrong_version_has_the_signature_of_the_right_one(fault: Fault) -> None:
    """Names, kinds, defaults and types."""
    replaced = replacement_of(fault)
    right = switch.target_of(fault, replaced)
    assert inspect.signature(replaced.wrong) == inspect.signature(right)


@by_name
def test_a_wrong_version_lies_where_a_reader_looks_for_it(fault: Fault) -> None:
    """In the module that has the stage's name, under the right one's; two need a suffix."""
    replaced = replacement_of(fault)
    assert replaced.wrong.__module__ == f"faults.{replaced.module.removeprefix('boxoffice.')}"
    alone = sum(replacement_of(other).target == replaced.target for other in REPLACING) == 1
    expected = replaced.function if alone else f"{replaced.function}_"
    assert replaced.wrong.__name__.startswith(expected)
    assert not alone or replaced.wrong.__name__ == expected


def test_each_target_is_called_by_its_name_and_used_in_no_other_way() -> None:
    """Or somebody would go on with the right version while the flag is on."""
    called: set[str] = set()
    misuses = []
    for path in DEPLOYED:
        sites = call_sites(path.read_text(), module_of(path), TARGETS)
        called |= sites.called
        misuses += [f"{path.relative_to(FUNCTIONS)}:{misuse}" for misuse in sites.misuses]
    assert misuses == []
    assert called == TARGETS


@pytest.mark.parametrize(
    ("module", "source", "misuse"),
    [
        ("boxoffice.sweep", "from boxoffice.charge import key", "from boxoffice.charge import key"),
        ("boxoffice.charge", "alias = key", "key is used without being called"),
        ("boxoffice.charge", "def ask(key_of=key): ...", "key is used without being called"),
        ("boxoffice.charge", "ask(key)", "key is used without being called"),
        ("boxoffice.charge", "@key\ndef ask(): ...", "key is used without being called"),
        ("boxoffice.charge", "def ask(key): key()", "key is bound to something else"),
        ("boxoffice.charge", "key = 3", "key is bound to something else"),
        (
            "boxoffice.sweep",
            "from boxoffice import charge as c\nask(c.key)",
            "c.key is used without being called",
        ),
        (
            "boxoffice.sweep",
            "import boxoffice.charge\nalias = boxoffice.charge.key",
            "boxoffice.charge.key is used without being called",
        ),
    ],
)
def test_a_use_that_replacing_would_not_reach_is_named(
    module: str, source: str, misuse: str
) -> None:
    """With its line."""
    found = call_sites(source, module, frozenset({"boxoffice.charge:key"})).misuses
    assert len(found) == 1
    assert re.fullmatch(rf"\d+: {re.escape(misuse)}", found[0])


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("boxoffice.charge", "def key(): ...\nask(key())"),
        ("boxoffice.sweep", "from boxoffice import charge\ncharge.key()"),
    ],
)
def test_a_call_that_replacing_reaches_is_found(module: str, source: str) -> None:
    """In the module itself, and in another."""
    target = "boxoffice.charge:key"
    sites = call_sites(source, module, frozenset({target}))
    assert sites.called == {target}
    assert sites.misuses == ()


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
@by_name
def test_a_flag_decides_which_version_is_reached(
    fault: Fault, is_on: bool, monkeypatch: pytest.MonkeyPatch, firestore: Flags
) -> None:
    """On, the wrong one; off, the right one. Nothing of either is run."""
    replaced = replacement_of(fault)
    module = importlib.import_module(replaced.module)
    right = inspect.unwrap(getattr(module, replaced.function))
    assert right is not replaced.wrong
    monkeypatch.setattr(right, "__code__", (lambda *_, **__: "right").__code__)
    monkeypatch.setattr(replaced.wrong, "__code__", (lambda *_, **__: "wrong").__code__)
    firestore.documents[fault.name] = {"on": is_on}
    assert getattr(module, replaced.function)() == ("wrong" if is_on else "right")


def test_a_replaced_function_is_still_described_as_the_right_one(firestore: Flags) -> None:
    """Whoever asks for its source or its place in it finds the stage's."""
    from boxoffice import charge

    assert charge.amount_cents.__module__ == "boxoffice.charge"
    path = inspect.unwrap(charge.amount_cents).__code__.co_filename
    assert Path(path) == FUNCTIONS / "boxoffice" / "charge.py"


def test_installing_again_wraps_nothing_twice(firestore: Flags) -> None:
    """The Functions SDK imports main.py more than once in a process."""
    faults.install(lambda: firestore)  # type: ignore[arg-type,return-value]
    from boxoffice import charge

    assert not hasattr(inspect.getattr_static(charge.amount_cents, "__wrapped__"), "__wrapped__")
    switch.uninstall()
    assert not hasattr(charge.amount_cents, "__wrapped__")


@pytest.mark.parametrize("target", ["boxoffice.charge:old_name", "boxoffice.old_name:amount_cents"])
def test_a_fault_whose_target_was_renamed_is_one_line_in_the_log(
    target: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It says which fault, which target and where to fix it; the other faults work."""
    (fault,) = [fault for fault in REPLACING if fault.name == "rounds-through-floats"]
    module, _, function = target.partition(":")
    moved = dataclasses.replace(replacement_of(fault), module=module, function=function)
    renamed = dataclasses.replace(fault, replacement=moved)
    others = [other for other in catalogue.FAULTS if other is not fault]
    monkeypatch.setattr(catalogue, "FAULTS", (renamed, *others))
    faults.install(Flags)  # type: ignore[arg-type]
    from boxoffice import charge

    try:
        assert [record.message for record in caplog.records] == [
            f"The fault rounds-through-floats does nothing: its target {target} does not exist. "
            "Hint: give amount_cents the function's new name, in functions/faults/charge.py."
        ]
        assert hasattr(charge.idempotency_key, "__wrapped__")
        assert not hasattr(charge.amount_cents, "__wrapped__")
    finally:
        switch.uninstall()


MAIN = """
import json, sys
import main
from boxoffice import charge
print(json.dumps([
    hasattr(charge.amount_cents, "__wrapped__"), "faults.catalogue" in sys.modules
]))
"""


@pytest.mark.parametrize(
    ("setting", "installed"), [("always", "[true, true]"), ("never", "[false, false]")]
)
def test_main_installs_the_faults_where_the_setting_allows_it(setting: str, installed: str) -> None:
    """Elsewhere the stages' functions are their own, and no wrong version is imported."""
    done = subprocess.run(
        [FUNCTIONS / "venv" / "bin" / "python", "-c", MAIN],
        cwd=FUNCTIONS,
        env={"GCLOUD_PROJECT": "demo-throughline", "FAULTS": setting},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == installed, done.stderr


def test_the_faults_know_nothing_of_the_local_stack() -> None:
    """They are deployed with the functions."""
    imported = {
        name.partition(".")[0]
        for path in (FUNCTIONS / "faults").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in imported_by(node)
    }
    assert "boxoffice" in imported
    assert not imported & LOCAL_STACK


def imported_by(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [name.name for name in node.names] if isinstance(node, ast.Import) else []


def test_each_fault_of_the_page_has_one_module_of_its_name() -> None:
    """No flag does nothing, and no module of the page's faults is unreachable."""
    modules = [
        re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", path.stem)
        for path in (FUNCTIONS.parent / "frontend" / "src" / "faults").glob("*.ts")
        if re.search("^export const REPLACES", path.read_text(), re.MULTILINE)
    ]
    listed = [(fault.name, fault.where) for fault in catalogue.FAULTS if not fault.replacement]
    assert sorted((name, "page") for name in modules) == sorted(listed)


def test_each_flag_belongs_to_one_fault() -> None:
    """And each summary reads as the end of no sentence: the switchboard ends it."""
    assert len(set(NAMES)) == len(NAMES)
    assert [fault.name for fault in catalogue.FAULTS if not re.search(r"\w$", fault.summary)] == []


def test_each_fault_has_one_scenario() -> None:
    """Whoever adds a fault shows how to find it."""
    scenarios = scenario.load_all().values()
    assert sorted(found.fault for found in scenarios) == sorted(NAMES)


def test_a_scenario_waits_longer_than_a_flag_is_kept() -> None:
    """Or a function could still go by what it read before."""
    assert flags.OBEYED_SECONDS > store.CACHE_SECONDS


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_off_where_the_faults_are_not_installed(name: str) -> None:
    """As in production, where main.py doesn't say so."""
    assert switch.on(name) is False


@pytest.mark.parametrize("nothing", ["they are not installed", "no flag is on"])
def test_what_is_off_costs_a_cold_start_nothing(nothing: str) -> None:
    """OpenFeature is imported where a flag is on, and only there."""
    asked = """
import sys, types, faults
from faults import switch
if sys.argv[1] == "no flag is on":
    flags = types.SimpleNamespace(get=lambda **how: [])
    faults.install(lambda: types.SimpleNamespace(collection=lambda name: flags))
print(switch.on(sys.argv[2]), "openfeature" in sys.modules)
"""
    command = [sys.executable, "-c", asked, nothing, NAMES[0]]
    said = subprocess.run(command, cwd=FUNCTIONS, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False False"


@pytest.mark.parametrize(
    ("document", "is_on"),
    [({"on": True}, True), ({"on": False}, False), ({}, False), ({"on": "yes"}, False)],
)
def test_a_document_turns_its_fault_on(
    firestore: Flags, document: dict[str, Any], is_on: bool
) -> None:
    """With `on: true`, and nothing else will do."""
    firestore.documents["drops-the-context"] = document
    assert switch.on("drops-the-context") is is_on
    assert switch.on("keeps-late-money") is False


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


def test_a_fault_that_is_on_is_an_event_on_the_span(firestore: Flags) -> None:
    """In the words of the semantic conventions for feature flags; one that is off says nothing."""
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    firestore.documents["drops-the-context"] = {"on": True}
    with trace.use_span(tracers.get_tracer("test").start_span("charge"), end_on_exit=True):
        assert switch.on("drops-the-context")
        assert not switch.on("keeps-late-money")
    (event,) = exporter.get_finished_spans()[0].events
    assert event.name == "feature_flag.evaluation"
    assert dict(event.attributes or {}) == {
        "feature_flag.key": "drops-the-context",
        "feature_flag.provider.name": "firestore",
        "feature_flag.result.variant": "on",
        "feature_flag.result.reason": "static",
    }
