"""How a function's worker serves the emulator, on the framework that both use."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.unit.framework import framework

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions"


@pytest.mark.parametrize(
    ("emulator", "said"),
    [({"FUNCTIONS_EMULATOR": "true"}, "close"), ({}, "keep-alive")],
    ids=["in the emulator", "elsewhere"],
)
def test_a_long_header_is_taken_and_no_connection_is_left_for_the_emulator_to_lose_a_request_on(
    emulator: dict[str, str], said: str, tmp_path: Path
) -> None:
    """What is closed at once can't be closed under a request; 8 KB of tracestate is no 431."""
    environment = {
        **emulator,
        "GCLOUD_PROJECT": "demo-throughline",
        "FUNCTION_TARGET": "settle",
        "FUNCTION_SIGNATURE_TYPE": "http",
        "OTEL_SDK_DISABLED": "true",
    }
    command = FUNCTIONS / "venv" / "bin" / "functions-framework"
    with framework(command, FUNCTIONS, environment, tmp_path / "log", "/__/health") as settle:
        long = {"tracestate": "a=" + "x" * 8190}
        answer = httpx.post(f"{settle.url}/", content=b"{}", headers=long, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["connection"].lower() == said
