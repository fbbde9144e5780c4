"""Deploys a tree with the real firebase-tools to the stand-in of Google's APIs."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx

from cloud.deployment import app, cli
from cloud.deployment.deployed import RUN_INVOKER, Deployed
from stack import paths, proxies
from stack.errors import UserError
from stack.local.http import answers
from stack.local.processes import Processes, wait_until
from stack.setup import toolchain

SERVER = "The stand-in of Google's APIs"
START_SECONDS = 60.0
DEPLOY_SECONDS = 300.0
REQUEST_SECONDS = 30.0


def start_server(processes: Processes, port: int, folder: Path, project: str, log: Path) -> str:
    """Start the server, which stores what is deployed in `folder`; return its base URL.

    Raises:
        UserError: it does not start.
    """
    processes.start(
        SERVER,
        [
            *(str(paths.python_in(paths.VENV)), "-m", "cloud.deployment", "--port", str(port)),
            *("--folder", str(folder), "--project", project),
        ],
        os.environ,
        log,
        paths.ROOT,
    )
    server = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{server}{app.UNKNOWN}"), SERVER, processes, START_SECONDS)
    return server


def create_secrets(server: str, project: str, secrets: Mapping[str, str]) -> None:
    """Create secrets with one version each, as `firebase functions:secrets:set` does."""
    base = f"{server}/secretmanager.googleapis.com/v1/projects/{project}/secrets"
    with httpx.Client(timeout=REQUEST_SECONDS, trust_env=False) as client:
        for name, value in secrets.items():
            created = client.post(
                base, params={"secretId": name}, json={"replication": {"automatic": {}}}
            )
            if created.status_code != 409:
                created.raise_for_status()
            payload = {"payload": {"data": base64.b64encode(value.encode()).decode()}}
            client.post(f"{base}/{name}:addVersion", json=payload).raise_for_status()


def deploy(server: str, tree: Path, project: str, folder: Path) -> list[str]:
    """Deploy `tree` with firebase-tools; return the requests that the server did not know.

    Raises:
        UserError: the deployment fails or takes too long.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "firebase-deploy.log"
    command = [
        *(str(toolchain.node()), str(paths.FIREBASE), "deploy", "--project", project),
        *("--force", "--non-interactive"),
    ]
    environment = {
        **proxies.without_proxies(os.environ),
        **cli.environment(server, folder / "cli-settings"),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            status = process.wait(DEPLOY_SECONDS)
        except subprocess.TimeoutExpired:
            raise UserError(
                f"firebase deploy took longer than {DEPLOY_SECONDS:.0f} s (full log: {log})."
            ) from None
        finally:
            _end_group(process)
    unknown: list[str] = httpx.get(
        f"{server}{app.UNKNOWN}", timeout=REQUEST_SECONDS, trust_env=False
    ).json()
    if status:
        raise UserError(
            f"firebase deploy failed: {_error_in(log)} (full log: {log})",
            hint=f"The stand-in does not simulate {', '.join(unknown)}." if unknown else "",
        )
    return unknown


def grant_invoker(server: str, deployed: Deployed) -> list[str]:
    """Grant each function's account the role to invoke functions; return the accounts.

    firebase-tools grants it to the default service account only. For another one the operator
    must, with ./scripts/deploy or by hand.
    """
    accounts = sorted(
        {
            function.service_account
            for function in deployed.functions()
            if f"serviceAccount:{function.service_account}" not in function.invokers
        }
    )
    if accounts:
        resource = f"{server}/cloudresourcemanager.googleapis.com/v1/projects/{deployed.project}"
        with httpx.Client(timeout=REQUEST_SECONDS, trust_env=False) as client:
            policy = client.post(f"{resource}:getIamPolicy").json()
            members = [f"serviceAccount:{account}" for account in accounts]
            policy["bindings"].append({"role": RUN_INVOKER, "members": members})
            client.post(f"{resource}:setIamPolicy", json={"policy": policy}).raise_for_status()
    return accounts


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a process's group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(REQUEST_SECONDS)


def _error_in(log: Path) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(errors="replace"))
    errors = re.findall(r"^Error: (.+)$", text, re.MULTILINE)
    lines = [line for line in text.splitlines() if line.strip()]
    return str((errors or lines or ["it printed nothing"])[-1])[:300]
