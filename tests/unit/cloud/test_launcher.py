"""Tests of the launcher: what it adds to a function in the emulator, and nothing elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from cloud import launcher
from stack import paths
from stack.setup import worker_launcher
from tests.unit.framework import framework
from tests.unit.local_server import serving

FRAMEWORK = paths.FUNCTIONS / "venv" / "bin" / "functions-framework"
EMULATED = {"FUNCTIONS_EMULATOR": "true"}
EVENT = {"ce-id": "7", "ce-source": "test", "ce-type": "test", "ce-specversion": "1.0"}

HTTP = """
import sys, functions_framework

@functions_framework.http
def answer(request):
    return ",".join(name for name in ("scripts", "tests", "observatory") if can_import(name))

def can_import(name):
    from importlib.util import find_spec
    return find_spec(name) is not None
"""
EVENTS = """
import flask, functions_framework

flask.current_app.add_url_rule("/up", view_func=lambda: "yes")

@functions_framework.cloud_event
def issue(event):
    raise LookupError(f"no order in event {event['id']}")
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with a main.py that has an HTTP function."""
    folder = tmp_path / "functions"
    folder.mkdir()
    (folder / "main.py").write_text(HTTP)
    return folder


@pytest.mark.parametrize(
    ("environment", "connection"),
    [(EMULATED, "close"), ({}, "keep-alive")],
    ids=["in the emulator", "elsewhere"],
)
def test_responses_close_the_connection_only_in_the_emulator(
    source: Path, tmp_path: Path, environment: dict[str, str], connection: str
) -> None:
    """Otherwise an idle connection could be closed while the emulator sends the next request."""
    env = {"FUNCTION_TARGET": "answer", **environment}
    with framework(FRAMEWORK, source, env, tmp_path / "log", "/") as served:
        response = httpx.get(served.url, trust_env=False)
    assert response.headers["connection"].lower() == connection


def test_the_functions_cannot_import_the_rest_of_the_checkout(source: Path, tmp_path: Path) -> None:
    """Such an import would fail only in production."""
    env = {"FUNCTION_TARGET": "answer", **EMULATED}
    with framework(FRAMEWORK, source, env, tmp_path / "log", "/") as served:
        assert httpx.get(served.url, trust_env=False).text == ""


@pytest.mark.parametrize(
    ("environment", "handed_over"),
    [(EMULATED, 1), ({}, 0)],
    ids=["in the emulator", "elsewhere"],
)
def test_a_failed_event_is_handed_over_only_in_the_emulator(
    tmp_path: Path, environment: dict[str, str], handed_over: int
) -> None:
    """In production the platform sees the response and retries by itself."""
    (tmp_path / "main.py").write_text(EVENTS)
    with serving(lambda _: 202) as process:
        env = {
            "FUNCTION_TARGET": "issue",
            "FUNCTION_SIGNATURE_TYPE": "cloudevent",
            "CLOUD_DELIVERY_URL": f"{process.url}/",
            **environment,
        }
        with framework(FRAMEWORK, tmp_path, env, tmp_path / "log", "/up") as served:
            response = httpx.post(served.url, json={}, headers=EVENT, trust_env=False)
        events = [json.loads(request.body) for request in process.requests]
    assert response.status_code == 500
    assert [event["function"] for event in events] == ["issue"] * handed_over


def test_the_launcher_replaces_the_script_that_pip_installed(tmp_path: Path) -> None:
    """It is a new file, because the old one may be hard-linked into another environment."""
    venv = tmp_path / "venv" / "bin"
    venv.mkdir(parents=True)
    script, shared = venv / "functions-framework", tmp_path / "shared"
    script.write_text("from functions_framework._cli import _cli")
    shared.hardlink_to(script)
    worker_launcher.write(tmp_path / "venv", tmp_path)
    assert "cloud.launcher" in script.read_text()
    assert shared.read_text() == "from functions_framework._cli import _cli"
    assert [path.name for path in venv.iterdir()] == ["functions-framework"]


def test_only_event_functions_are_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller of an HTTP function sees the response, and task queues retry by themselves."""
    monkeypatch.setenv("FUNCTION_TARGET", "issue")
    for signature, function in (("cloudevent", "issue"), ("http", ""), ("", "")):
        monkeypatch.setenv("FUNCTION_SIGNATURE_TYPE", signature)
        assert launcher._served_event_function() == function
