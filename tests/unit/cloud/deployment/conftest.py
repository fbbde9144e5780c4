"""The stand-in of Google's APIs, called as firebase-tools calls it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cloud.deployment.app import create_app
from cloud.deployment.deployed import Deployed
from tests.unit.cloud.deployment.requests_of_the_cli import PROJECT, Cli


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """The server, which stores what is deployed in `tmp_path`."""
    with TestClient(create_app(tmp_path, PROJECT)) as server:
        yield server


@pytest.fixture
def cli(client: TestClient) -> Cli:
    """The requests of firebase-tools."""
    return Cli(client)


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    """What was deployed."""
    return Deployed(tmp_path, PROJECT)
