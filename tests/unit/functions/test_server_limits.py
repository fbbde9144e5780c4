"""The limits of the server that serves a function, on the framework that Google runs."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.unit.framework import framework

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions"


def test_a_header_line_of_8_kb_reaches_the_function(tmp_path: Path) -> None:
    """Gunicorn's own limit would answer 431; settle answers 401 to an unsigned webhook."""
    environment = {
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
