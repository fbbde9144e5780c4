"""The whole flow with the real firebase-tools, against the stand-in for Google's APIs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cloud.deployment import cli
from stack import paths
from stack.deploy import flow
from stack.deploy.plan import Plan
from stack.deploy.tree import Tree
from stack.local.processes import Processes
from stack.rehearsal.deployment import start_server
from tests.production import mistakes
from tests.production.mistakes import PROJECT
from tests.production.settings_files import settings_file

DEPLOY_SECONDS = 180.0


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The stand-in, whose addresses firebase-tools and the command find in the environment."""
    home = tmp_path / "home"
    home.mkdir()
    with Processes() as processes:
        address = start_server(
            processes, _free_port(), tmp_path / "standin", PROJECT, tmp_path / "standin.log"
        )
        for name, value in cli.environment(address, home).items():
            monkeypatch.setenv(name, value)
        yield address


@pytest.mark.long
def test_a_first_deployment_creates_everything_and_a_second_nothing(
    server: str, tmp_path: Path
) -> None:
    """The plans of both are compared; no request is one that the stand-in does not know."""
    root = tmp_path / "tree"
    mistakes.copy_tree(root)
    (root / mistakes.SETTINGS).write_text(settings_file())
    tree = Tree(root, PROJECT)
    plans: list[Plan] = []

    def confirm(plan: Plan) -> bool:
        plans.append(plan)
        return True

    first = flow.deploy(tree, flow.Options(), confirm)
    assert first
    assert first["access_problems"] == []
    assert first["site"] == f"https://{PROJECT}.web.app"
    deployed = {each["name"].rpartition("/")[2] for each in _functions(server)}
    assert deployed == set(first["deployed"]) >= {"reserve", "charge", "settle", "welcome"}

    second = flow.deploy(tree, flow.Options(), confirm)
    assert second
    again = plans[1]
    assert (again.apis, again.location, again.roles, again.secrets) == ((), "", (), ())
    assert not any((again.creates_account, again.creates_web_app, again.allows_anonymous))
    assert again.leftovers == ()
    assert any("hosting:clone" in line for line in second["undo"])
    assert httpx.get(f"{server}/unknown-requests").json() == []


@pytest.mark.long
def test_an_interrupted_deployment_is_continued(server: str, tmp_path: Path) -> None:
    """The first process is interrupted while firebase-tools deploys; the second run finishes."""
    root = tmp_path / "tree"
    mistakes.copy_tree(root)
    (root / mistakes.SETTINGS).write_text(settings_file())
    program = (
        "from pathlib import Path\n"
        "from stack.deploy import flow\n"
        "from stack.deploy.tree import Tree\n"
        f"flow.deploy(Tree(Path({str(root)!r}), {PROJECT!r}), flow.Options(), lambda plan: True)\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (paths.ROOT / "scripts", paths.ROOT))),
    }
    log = (tmp_path / "interrupted.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=log, stderr=log
    )
    deadline = time.monotonic() + DEPLOY_SECONDS
    while not _functions(server):
        assert process.poll() is None, (tmp_path / "interrupted.log").read_text()
        assert time.monotonic() < deadline, "no function was deployed"
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    finished = flow.deploy(Tree(root, PROJECT), flow.Options(), lambda _plan: True)
    assert finished
    assert {each["name"].rpartition("/")[2] for each in _functions(server)} == set(
        finished["deployed"]
    )


def _functions(server: str) -> list[dict[str, str]]:
    url = f"{server}/cloudfunctions.googleapis.com/v2/projects/{PROJECT}/locations/-/functions"
    functions: list[dict[str, str]] = httpx.get(url).json().get("functions", [])
    return functions


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
