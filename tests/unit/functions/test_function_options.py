"""How the functions are deployed, as the pinned Firebase CLI resolves their manifest."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deployment import resolved
from tests.unit.functions.test_main import DISCOVER

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = ROOT / "functions"

SOURCES = {
    path.stem: ast.parse(path.read_text()) for path in (FUNCTIONS / "boxoffice").glob("*.py")
}

Endpoints = Mapping[str, Mapping[str, Any]]


def deploy(**changed: str) -> Endpoints:
    """Return the endpoints that a deployment with the given settings would create."""
    given = {
        "ACQUIRER_URL": "https://processor.example",
        "ORGANISER_EMAILS": "organiser@example.org",
        **changed,
    }
    discovered = subprocess.run(
        [FUNCTIONS / "venv" / "bin" / "python", "-c", DISCOVER],
        cwd=FUNCTIONS,
        env={"GCLOUD_PROJECT": "box-office", **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    example = (FUNCTIONS / ".env.example").read_text()
    return {each["id"]: each for each in resolved(discovered.stdout, example, **given)}


@pytest.fixture(scope="module")
def endpoints() -> Endpoints:
    """The endpoints of a deployment with the example's settings."""
    return deploy()


def test_the_example_has_every_setting_that_a_deployment_without_a_terminal_needs(
    endpoints: Endpoints,
) -> None:
    """Otherwise the CLI refuses, and `deploy` fails."""
    assert {"welcome", "reserve", "settle", "sweep"} <= set(endpoints)


def test_every_function_has_its_region_size_limits_and_identity(endpoints: Endpoints) -> None:
    """The CLI's own choices differ by the kind of trigger, and allow 80 requests at a time."""
    for name, endpoint in endpoints.items():
        assert endpoint["region"] == "us-central1", name
        assert endpoint["serviceAccount"] == "boxoffice@box-office.iam.gserviceaccount.com", name
        assert endpoint["cpu"] == 1, name
        assert endpoint["availableMemoryMb"] in (256, 512), name
        assert endpoint["concurrency"] == (1 if name == "sweep" else 8), name
        assert 1 <= endpoint["maxInstances"] <= 20, name
        assert 7 <= endpoint["timeoutSeconds"] <= 120, name


def test_another_region_applies_to_every_function_and_to_the_channel() -> None:
    """Triggers, Pub/Sub and the Eventarc channel included; the settings are used as given."""
    endpoints = deploy(REGION="europe-west1", THREADS="4", SERVICE_ACCOUNT="shop")
    assert {endpoint["region"] for endpoint in endpoints.values()} == {"europe-west1"}
    assert endpoints["audit"]["eventTrigger"]["channel"] == (
        "projects/box-office/locations/europe-west1/channels/firebase"
    )
    assert endpoints["quote"]["concurrency"] == 4
    assert endpoints["quote"]["serviceAccount"] == "shop@box-office.iam.gserviceaccount.com"


def test_only_functions_that_are_called_from_outside_are_public(endpoints: Endpoints) -> None:
    """Events and the schedule come from inside the project."""
    public = {
        name
        for name, endpoint in endpoints.items()
        if endpoint["ingressSettings"] != "ALLOW_INTERNAL_ONLY"
    }
    assert public == {
        *("welcome", "availability", "quote", "settle", "refund", "expire", "telemetry"),
    }


def bound_secrets(endpoints: Endpoints) -> dict[str, set[str]]:
    """Return each function's secrets."""
    return {
        name: {each["key"] for each in endpoint.get("secretEnvironmentVariables", [])}
        for name, endpoint in endpoints.items()
    }


def test_each_secret_reaches_just_the_functions_that_use_it(endpoints: Endpoints) -> None:
    """A function uses one if it calls the setting's reader, itself or through other functions."""
    readers = {
        "PSEUDONYM_SALT": "pseudonym_salt",
        "ACQUIRER_WEBHOOK_SECRET": "acquirer_webhook_secret",
    }
    used = {
        name: {secret for secret, reader in readers.items() if reads(name, reader)}
        for name in endpoints
    }
    bound = {name: secrets & set(readers) for name, secrets in bound_secrets(endpoints).items()}
    assert bound == used
    assert used["settle"] == set(readers)
    assert used["quote"] == set()


def test_the_key_of_an_otlp_endpoint_reaches_every_function() -> None:
    """If the settings say that there is one."""
    endpoints = deploy(OTLP_HEADERS_SECRET="yes")
    assert all("OTEL_EXPORTER_OTLP_HEADERS" in each for each in bound_secrets(endpoints).values())


def reads(stage: str, reader: str) -> bool:
    """Return whether a stage's function calls a setting's reader, itself or through others."""
    seen: set[tuple[str, str]] = set()
    pending = [(stage, stage)]
    while pending:
        module, function = pending.pop()
        if (module, function) in seen or module not in SOURCES:
            continue
        seen.add((module, function))
        for node in SOURCES[module].body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                # Its decorators too, which are part of the tree.
                for inner in ast.walk(node):
                    match inner:
                        case ast.Attribute(value=ast.Name(id="settings"), attr=name):
                            if name == reader:
                                return True
                        case ast.Attribute(value=ast.Name(id=other), attr=name):
                            pending.append((other, name))
                        case ast.Name(id=name):
                            pending.append((module, name))
    return False


def test_hosting_finds_the_region_of_its_functions_by_itself() -> None:
    """A rewrite that names a region would have to change with the setting."""
    rewrites = json.loads((ROOT / "firebase.json").read_text())["hosting"]["rewrites"]
    functions = [rewrite["function"] for rewrite in rewrites if "function" in rewrite]
    assert functions
    assert all(set(function) == {"functionId"} for function in functions)
