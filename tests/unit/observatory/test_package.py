"""The Observatory as a package: the command, the wheel, and what it needs."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import grpc
import httpx
import pytest

from tests.unit.local_server import eventually
from tests.unit.observatory.conftest import PROTOBUF
from tests.unit.observatory.telemetry import purchase
from tests.unit.scripts.executables import executable

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "observatory"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@contextmanager
def running(
    command: list[str | Path], cwd: Path, **variables: str
) -> Iterator[tuple[list[str], str, str]]:
    """Run the command; yield the lines it prints, and the addresses for HTTP and for gRPC."""
    options: list[str | Path] = ["--port", "0", "--grpc-port", "0", "--data", cwd / "spans.duckdb"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= variables
    with subprocess.Popen(
        [*command, *options], cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline()]
            while lines[-1] and not lines[-1].startswith("Assistants"):
                lines.append(process.stdout.readline())
            text = "".join(lines)
            endpoints = re.findall(r"PROTOCOL=(\S+) OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)", text)
            assert [protocol for protocol, _ in endpoints] == ["http/protobuf", "grpc"], text
            yield lines, endpoints[0][1], endpoints[1][1]
        finally:
            process.terminate()


def assert_receives(url: str, grpc_url: str) -> None:
    """Send one trace to each of the printed addresses, and find both."""
    over_http, over_grpc = purchase("order-1"), purchase("order-2")
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as http:
        body = over_http.request().SerializeToString()
        http.post("/v1/traces", content=body, headers=PROTOBUF).raise_for_status()
        with grpc.insecure_channel(grpc_url.removeprefix("http://")) as channel:
            export = channel.unary_unary(EXPORT)
            export(over_grpc.request().SerializeToString(), timeout=20, wait_for_ready=True)
        for trace in (over_http, over_grpc):
            journey = http.get(f"/api/traces/{trace.trace_id.hex()}").raise_for_status().json()
            assert journey["spans"] == len(trace.spans)


def test_the_command_opens_the_explorer_and_says_how_to_send_telemetry(tmp_path: Path) -> None:
    """What it prints is true: both addresses receive."""
    opened = tmp_path / "opened"
    browser = executable(
        tmp_path / "browser", f'echo "$1" > {opened}.part; mv {opened}.part {opened}'
    )
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
    code += "from observatory.command import main; sys.exit(main())"
    command: list[str | Path] = [sys.executable, "-c", code, "--browser"]
    with running(command, tmp_path, BROWSER=str(browser)) as (lines, url, grpc_url):
        assert f"{url}/mcp" in lines[-1]
        eventually(opened.exists, "the browser opens")
        assert opened.read_text().strip() == url
        assert_receives(url, grpc_url)


def test_the_requirements_name_every_package_that_is_imported() -> None:
    """Otherwise the wheel would work only where something else installs them."""
    lines = (PACKAGE / "requirements.in").read_text().splitlines()
    required = {line.partition("==")[0].lower() for line in lines if "==" in line}
    # Other names for packages of the list: two distributions install parts of one package, and the
    # MCP SDK installs its types separately.
    installed_with = {"protobuf": "opentelemetry-proto", "mcp-types": "mcp", "anyio": "mcp"}
    owners = metadata.packages_distributions()
    missing = set()
    for name in imported_packages():
        distributions = {each.lower().replace("_", "-") for each in owners[name]}
        distributions |= {installed_with[each] for each in distributions if each in installed_with}
        if not distributions & required:
            missing.add(name)
    assert missing == set()


def imported_packages() -> set[str]:
    """Return the top-level packages that the Observatory's modules import from elsewhere."""
    names: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if "node_modules" in path.parts or path.name == "hatch_build.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"observatory", "__future__"}


def test_the_lock_file_has_the_versions_of_the_requirements() -> None:
    locked = (PACKAGE / "requirements.txt").read_text().splitlines()
    wanted = [line for line in (PACKAGE / "requirements.in").read_text().split() if "==" in line]
    assert wanted
    for requirement in wanted:
        assert any(line.startswith(f"{requirement} ") for line in locked), requirement


def test_the_command_of_the_wheel_exists() -> None:
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["observatory"].partition(":")
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    assert f"def {function}() -> int:" in (ROOT / f"{module.replace('.', '/')}.py").read_text()


@pytest.mark.long
def test_the_wheel_runs_in_an_empty_environment(tmp_path: Path) -> None:
    """It has the explorer, receives over both protocols, and serves assistants."""
    wheel = subprocess.run(
        [ROOT / "scripts" / "observatory", "wheel"], capture_output=True, text=True, check=True
    ).stdout.strip()
    uv = next(path for path in (ROOT / ".throughline/uv/bin/uv", Path("uv")) if path.exists())
    venv = tmp_path / "venv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", venv, wheel], check=True)
    with running([venv / "bin" / "observatory"], tmp_path) as (_, url, grpc_url):
        assert_receives(url, grpc_url)
        page = httpx.get(url, trust_env=False).raise_for_status()
        script = re.search(r'src="(/assets/index-[^"]+\.js)"', page.text)
        assert script
        assert httpx.get(url + script[1], trust_env=False).status_code == 200
        tools = httpx.post(
            f"{url}/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
            headers={"accept": "application/json, text/event-stream"},
            trust_env=False,
            timeout=60,
        ).json()
        assert "find_traces" in {tool["name"] for tool in tools["result"]["tools"]}
