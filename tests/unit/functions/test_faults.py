"""Faults: each replaces one function of a stage while its flag is on."""

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
    """A fake Firestore client that counts its reads and can be made to fail."""

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
        return [Snapshot(name, fields) for name, fields in self.documents.items()]


class Snapshot:
    """A document's snapshot."""

    def __init__(self, name: str, fields: dict[str, Any]) -> None:
        self.id = name
        self.to_dict = lambda: fields


@pytest.fixture
def firestore() -> Iterator[Flags]:
    """The fake client of the installed faults, which are uninstalled after the test."""
    client = Flags()
    faults.install(lambda: client)  # type: ignore[arg-type,return-value]
    yield client
    switch.uninstall()
    api.clear_providers()


def replacement_of(fault: Fault) -> Replacement:
    """Return the replacement of a fault that has one."""
    assert fault.replacement
    return fault.replacement


def source_of(module: str) -> str:
    """Return the source of a module of the functions."""
    return (FUNCTIONS / f"{module.replace('.', '/')}.py").read_text()


def module_of(path: Path) -> str:
    """Return the name under which a file of the functions is imported."""
    return ".".join(path.relative_to(FUNCTIONS).with_suffix("").parts)


@by_name
def test_a_target_is_a_plain_function_of_its_module(fault: Fault) -> None:
    """Only a top-level, undecorated, synchronous function can be replaced by name."""
    replacement = replacement_of(fault)
    assert top_level_function(source_of(replacement.module), replacement.function)


@by_name
def test_a_wrong_version_has_the_signature_of_the_right_one(fault: Fault) -> None:
    """Parameters' names, kinds, defaults and types are the same."""
    replacement = replacement_of(fault)
    right = switch.target_of(fault, replacement)
    assert inspect.signature(replacement.wrong) == inspect.signature(right)


@by_name
def test_a_wrong_version_is_named_after_the_right_one(fault: Fault) -> None:
    """It is in the module with the stage's name. Two versions of one function have a suffix."""
    replacement = replacement_of(fault)
    assert replacement.wrong.__module__ == f"faults.{replacement.module.removeprefix('boxoffice.')}"
    is_only_version = (
        sum(replacement_of(other).target == replacement.target for other in REPLACING) == 1
    )
    expected = replacement.function if is_only_version else f"{replacement.function}_"
    assert replacement.wrong.__name__.startswith(expected)
    assert not is_only_version or replacement.wrong.__name__ == expected


def test_each_target_is_only_ever_called_by_its_name() -> None:
    """Any other use would reach the right version while the flag is on."""
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
def test_a_use_that_replacing_would_not_reach_is_reported_with_its_line(
    module: str, source: str, misuse: str
) -> None:
    misuses = call_sites(source, module, frozenset({"boxoffice.charge:key"})).misuses
    assert len(misuses) == 1
    assert re.fullmatch(rf"\d+: {re.escape(misuse)}", misuses[0])


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("boxoffice.charge", "def key(): ...\nask(key())"),
        ("boxoffice.sweep", "from boxoffice import charge\ncharge.key()"),
    ],
)
def test_calls_in_and_outside_the_targets_module_are_recognised(module: str, source: str) -> None:
    target = "boxoffice.charge:key"
    sites = call_sites(source, module, frozenset({target}))
    assert sites.called == {target}
    assert sites.misuses == ()


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
@by_name
def test_the_flag_selects_the_version_that_runs(
    fault: Fault, is_on: bool, monkeypatch: pytest.MonkeyPatch, firestore: Flags
) -> None:
    """Both bodies are replaced first, so that neither version's code is run."""
    replacement = replacement_of(fault)
    module = importlib.import_module(replacement.module)
    right = inspect.unwrap(getattr(module, replacement.function))
    assert right is not replacement.wrong
    monkeypatch.setattr(right, "__code__", (lambda *_, **__: "right").__code__)
    monkeypatch.setattr(replacement.wrong, "__code__", (lambda *_, **__: "wrong").__code__)
    firestore.documents[fault.name] = {"on": is_on}
    assert getattr(module, replacement.function)() == ("wrong" if is_on else "right")


def test_a_wrapped_function_keeps_the_module_and_source_of_the_right_one(firestore: Flags) -> None:
    from boxoffice import charge

    assert charge.amount_cents.__module__ == "boxoffice.charge"
    path = inspect.unwrap(charge.amount_cents).__code__.co_filename
    assert Path(path) == FUNCTIONS / "boxoffice" / "charge.py"


def test_installing_again_does_not_wrap_twice(firestore: Flags) -> None:
    """The Functions SDK imports main.py more than once in a process."""
    faults.install(lambda: firestore)  # type: ignore[arg-type,return-value]
    from boxoffice import charge

    assert not hasattr(inspect.getattr_static(charge.amount_cents, "__wrapped__"), "__wrapped__")
    switch.uninstall()
    assert not hasattr(charge.amount_cents, "__wrapped__")


@pytest.mark.parametrize("target", ["boxoffice.charge:old_name", "boxoffice.old_name:amount_cents"])
def test_a_fault_whose_target_was_renamed_is_logged_once(
    target: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The line names the fault, the target and the file to edit; the other faults work."""
    (fault,) = [fault for fault in REPLACING if fault.name == "rounds-through-floats"]
    module, _, function = target.partition(":")
    replacement = dataclasses.replace(replacement_of(fault), module=module, function=function)
    renamed = dataclasses.replace(fault, replacement=replacement)
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
def test_main_installs_the_faults_if_the_setting_allows_it(setting: str, installed: str) -> None:
    """Otherwise the stages' functions are not wrapped, and no wrong version is imported."""
    process = subprocess.run(
        [FUNCTIONS / "venv" / "bin" / "python", "-c", MAIN],
        cwd=FUNCTIONS,
        env={"GCLOUD_PROJECT": "demo-throughline", "FAULTS": setting},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stdout.strip() == installed, process.stderr


def test_the_faults_do_not_import_the_local_stack() -> None:
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
    """Return the modules that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [name.name for name in node.names] if isinstance(node, ast.Import) else []


def test_each_fault_of_the_page_has_one_module_of_its_name() -> None:
    """A flag without a module would do nothing; a module without a flag would be unreachable."""
    modules = [
        re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", path.stem)
        for path in (FUNCTIONS.parent / "frontend" / "src" / "faults").glob("*.ts")
        if re.search("^export const REPLACES", path.read_text(), re.MULTILINE)
    ]
    listed = [(fault.name, fault.where) for fault in catalogue.FAULTS if not fault.replacement]
    assert sorted((name, "page") for name in modules) == sorted(listed)


def test_each_flag_belongs_to_one_fault() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_no_summary_ends_with_punctuation() -> None:
    """The views that show a summary add the full stop."""
    assert [fault.name for fault in catalogue.FAULTS if not re.search(r"\w$", fault.summary)] == []


def test_each_fault_has_one_scenario() -> None:
    scenarios = scenario.load_all().values()
    assert sorted(each.fault for each in scenarios) == sorted(NAMES)


def test_a_scenario_waits_longer_than_a_flag_is_cached() -> None:
    """Otherwise a function could still use the flag's old value."""
    assert flags.EFFECTIVE_SECONDS > store.CACHE_SECONDS


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_off_if_the_faults_are_not_installed(name: str) -> None:
    """In production, main.py does not install them by default."""
    assert switch.on(name) is False


@pytest.mark.parametrize("case", ["not installed", "no flag is on"])
def test_openfeature_is_not_imported_unless_a_flag_is_on(case: str) -> None:
    """Its import would slow down every cold start."""
    program = """
import sys, types, faults
from faults import switch
if sys.argv[1] == "no flag is on":
    flags = types.SimpleNamespace(get=lambda **how: [])
    faults.install(lambda: types.SimpleNamespace(collection=lambda name: flags))
print(switch.on(sys.argv[2]), "openfeature" in sys.modules)
"""
    command = [sys.executable, "-c", program, case, NAMES[0]]
    process = subprocess.run(command, cwd=FUNCTIONS, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "False False"


@pytest.mark.parametrize(
    ("document", "is_on"),
    [({"on": True}, True), ({"on": False}, False), ({}, False), ({"on": "yes"}, False)],
)
def test_a_document_turns_its_fault_on(
    firestore: Flags, document: dict[str, Any], is_on: bool
) -> None:
    """Only the boolean `on: true` does, and only for the fault of the document's name."""
    firestore.documents["drops-the-context"] = document
    assert switch.on("drops-the-context") is is_on
    assert switch.on("keeps-late-money") is False


def test_flags_are_read_at_most_once_a_second() -> None:
    """An invocation that evaluates many flags reads them once."""
    now, client = [0.0], Flags()
    flag_store = store.FlagStore(lambda: client, lambda: now[0])  # type: ignore[arg-type,return-value]
    assert [flag_store.on() for _ in NAMES] == [frozenset()] * len(NAMES)
    now[0] = store.CACHE_SECONDS - 0.01
    flag_store.on()
    assert client.reads == 1
    client.documents[NAMES[0]] = {"on": True}
    now[0] = store.CACHE_SECONDS
    assert flag_store.on() == {NAMES[0]}
    assert client.reads == 2


def test_flags_are_read_again_after_a_slow_read() -> None:
    """The result of a read that took longer than the cache's lifetime is already stale."""
    now, client = [0.0], Flags()

    def slow_at_first() -> Flags:
        if client.reads == 0:
            now[0] += store.CACHE_SECONDS
        else:
            client.documents[NAMES[0]] = {"on": True}
        return client

    flag_store = store.FlagStore(slow_at_first, lambda: now[0])  # type: ignore[arg-type]
    assert flag_store.on() == {NAMES[0]}
    assert client.reads == 2


def test_flags_that_cannot_be_read_are_off_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No request fails because of a flag, and reads are tried at most once a second."""
    now, client = [0.0], Flags(**{NAMES[0]: {"on": True}})
    flag_store = store.FlagStore(lambda: client, lambda: now[0])  # type: ignore[arg-type,return-value]
    assert flag_store.on() == {NAMES[0]}
    client.broken = True
    with caplog.at_level(logging.WARNING):
        for now[0] in (1.0, 1.5, 2.0, 3.0):
            assert flag_store.on() == set()
    assert client.reads == 4
    assert [record.message for record in caplog.records] == [
        "The faults' flags cannot be read, so all are off: 504 too slow"
    ]
    client.broken = False
    now[0] = 4.0
    assert flag_store.on() == {NAMES[0]}


def test_a_fault_that_is_on_is_an_event_on_the_span(firestore: Flags) -> None:
    """The event follows the semantic conventions for feature flags; an off flag adds none."""
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
