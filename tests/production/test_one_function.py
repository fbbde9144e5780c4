"""One function of this tree is deployed, and answers as it would in production."""

from __future__ import annotations

import asyncio
import io
import json
import os
import zipfile
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cloud.deployment.app import create_app
from cloud.deployment.deployed import PUBLIC, Deployed
from cloud.runtime.front_end import Answer, FrontEnd
from cloud.runtime.identity import Identity
from cloud.runtime.service import Service
from cloud.runtime.source import Source
from stack import paths
from tests.unit.cloud.deployment.requests_of_the_cli import LOCATION, PROJECT, Cli

DEADLINE_SECONDS = 60.0


def archive_of_the_functions() -> bytes:
    """Return the functions' source as firebase-tools packs it, by firebase.json's `ignore`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as contents:
        for path in sorted(paths.FUNCTIONS.rglob("*")):
            inside = path.relative_to(paths.FUNCTIONS)
            ignored = {"venv", "__pycache__"} & set(inside.parts) or inside.name.startswith(".")
            if path.is_file() and not ignored:
                contents.write(path, str(inside))
    return buffer.getvalue()


def state_of(pid: int) -> str:
    """Return the state of a process; T: it is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.fixture
def settle(tmp_path: Path) -> Service:
    """The deployed function settle, in the functions' own environment, which has the packages."""
    with TestClient(create_app(tmp_path / "deployed", PROJECT)) as client:
        cli = Cli(client)
        variables = {
            "FUNCTION_TARGET": "settle",
            "FUNCTION_REGION": "us-central1",
            "LOG_EXECUTION_ID": "true",
            "GCLOUD_PROJECT": PROJECT,
            "OTEL_SDK_DISABLED": "true",
        }
        source = cli.upload(archive_of_the_functions())
        cli.create_function("settle", source, service={"environmentVariables": variables})
        policy = {"bindings": [{"role": "roles/run.invoker", "members": [PUBLIC]}]}
        service = f"run.googleapis.com/v1/{LOCATION}/services/settle"
        cli.call("POST", f"{service}:setIamPolicy", {"policy": policy})
    (function,) = Deployed(tmp_path / "deployed", PROJECT).functions()
    folder = tmp_path / "source"
    with zipfile.ZipFile(function.archive) as contents:
        contents.extractall(folder)
    environment = {"PATH": f"{paths.FUNCTIONS / 'venv' / 'bin'}:{os.environ['PATH']}"}
    for name in ("ACQUIRER_WEBHOOK_SECRET", "PSEUDONYM_SALT"):
        environment[name] = "secret"
    source_in_place = Source(folder, paths.FUNCTIONS / "venv" / "bin")
    return Service(function, source_in_place, environment, tmp_path / "logs", 60.0)


def test_a_deployed_function_answers_from_its_uploaded_source(settle: Service) -> None:
    """It refuses an unsigned webhook, within its memory, and has no CPU after its answer."""

    async def call() -> tuple[Answer, int]:
        front_end = FrontEnd([settle], Identity())
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                answer = await front_end.handle(settle, "POST", "/", [], b"{}", "203.0.113.7")
                (instance,) = settle._instances
                while state_of(instance._process.pid) != "T":
                    await asyncio.sleep(0.02)
                return answer, instance.memory_bytes()
        finally:
            await settle.shut_down()
            await front_end.close()

    answer, memory_bytes = asyncio.run(call())
    assert (answer.status_code, list(json.loads(answer.body))) == (401, ["error"]), answer.body
    assert settle.statistics.failures == []
    assert 0 < memory_bytes < settle.function.memory_bytes
