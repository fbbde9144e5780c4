"""Runs firebase-tools, and recognises the failures that a person or a second attempt can end.

firebase-tools has no machine-readable output for deployments, so failures are recognised by the
messages of the pinned version.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stack import paths
from stack.errors import UserError
from stack.setup import toolchain

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# The build of all functions takes minutes; beyond this firebase-tools has lost its operation.
SECONDS_MAX = 1_800.0


@dataclass(frozen=True)
class Run:
    """A finished run: its exit status, and its output without colours."""

    status: int
    output: str

    @property
    def error(self) -> str:
        """Return the last line that reports an error, or the last line."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("Error:")]
        return (errors or lines or ["it printed nothing"])[-1].removeprefix("Error: ")


class Firebase(Protocol):
    """Runs one command of firebase-tools; what deploys depends on this only."""

    def __call__(self, arguments: Sequence[str], log: str, /) -> Run:
        """Run the command with its output in the log `log`, and return how it ended."""


@dataclass(frozen=True)
class Failure:
    """A kind of failure.

    Attributes:
        pattern: what the output of firebase-tools contains.
        message: what happened, as one sentence; may use the pattern's groups.
        hint: what to do.
        seconds: how long to wait before the next attempt; None: another attempt does not help.
    """

    pattern: re.Pattern[str]
    message: str
    hint: str
    seconds: float | None = None


# Messages of firebase-tools 15.34.2 and of the APIs whose answers it prints, most specific first.
FAILURES = (
    # gcp/cloudfunctionsv2.js; hashicorp/terraform-provider-google#25294
    Failure(
        re.compile(
            r"If you recently started to use Eventarc, it may take a few minutes before all "
            r"necessary permissions are propagated to the Service Agent"
        ),
        "Eventarc's service agent does not have its permissions yet.",
        "On a project's first deployment this takes minutes; run the command again.",
        seconds=60,
    ),
    Failure(
        re.compile(r"Failed to authenticate, have you run|Command requires authentication"),
        "There is no login that Google accepts.",
        "Run ./node_modules/.bin/firebase login, or set GOOGLE_APPLICATION_CREDENTIALS to the path "
        "of a service account's key.",
    ),
    Failure(
        re.compile(r"missing the following required permissions on project \S+\s+(?P<all>[\w.]+)"),
        "The account may not deploy: it lacks {all}, and perhaps others.",
        "Ask an owner of the project for the roles in docs/deploy.md#the-account-that-deploys.",
    ),
    Failure(
        re.compile(r"must be on the Blaze \(pay-as-you-go\) plan"),
        "The project is on the free plan, and functions need the Blaze plan.",
        "Upgrade it: https://console.firebase.google.com/project/_/usage/details",
    ),
    # deploy/functions/services/firestore.js
    Failure(
        re.compile(r"A firestore trigger location must match the firestore database region"),
        "A Firestore trigger is in another region than the database.",
        "Delete the function reserve in the console, and run the command again.",
    ),
    Failure(
        re.compile(
            r"In non-interactive mode but have no value for the following environment variables: "
            r"(?P<names>[\w, ]+)"
        ),
        "The settings file has no value for {names}.",
        "Run ./scripts/deploy --check with --project, which names the file.",
    ),
    Failure(
        re.compile(r"In non-interactive mode but have no value for the secret (?P<name>\w+)"),
        "The secret {name} has no value.",
        "Run the command again: it creates the secret.",
    ),
    # The deployment of a blocking function on a project without Identity Platform.
    Failure(
        re.compile(r"OPERATION_NOT_ALLOWED|BLOCKING_FUNCTION|Blocking Functions may only be"),
        "Authentication refuses the blocking function: Identity Platform is off.",
        "Upgrade Authentication in the console, or deploy without it: --without-blocking",
    ),
    Failure(
        re.compile(r"maxScale may not exceed (?P<most>\d+)"),
        "The project's quota allows at most {most} instances.",
        "Lower max_instances in functions/function_options.py, or ask for a larger quota.",
    ),
    Failure(
        re.compile(r"Unable to deploy to Hosting as there is no Hosting site"),
        "The project has no Hosting site.",
        "Run ./node_modules/.bin/firebase hosting:sites:create",
    ),
    # apiv2.js
    Failure(
        re.compile(r"Failed to make request to https?://(?P<host>[^/\s]+)|Timeout reached making"),
        "The connection to Google was lost.",
        "Check the network, and run the command again: it continues with what is missing.",
    ),
)


def failure_of(run: Run) -> Failure | None:
    """Return the kind of a failure, or None if it is not known."""
    return next((each for each in FAILURES if each.pattern.search(run.output)), None)


def as_error(run: Run, what: str, log: Path) -> UserError:
    """Return the failure of a run as one line."""
    shown = log.relative_to(paths.ROOT) if log.is_relative_to(paths.ROOT) else log
    failure = failure_of(run)
    if failure is None:
        return UserError(
            f"{what} failed: {run.error[:300]}",
            hint=f"Correct that, and run the command again. Full log: {shown}",
        )
    match = failure.pattern.search(run.output)
    groups = {name: text or "" for name, text in (match.groupdict() if match else {}).items()}
    message = failure.message.format(**groups)
    return UserError(f"{what} failed: {message}", hint=f"{failure.hint} Full log: {shown}")


def log_file(project: str, name: str) -> Path:
    """Return the path of a log of a deployment."""
    return paths.MADE / "deploy" / project / f"{name}.log"


def runner(project: str, config: Path, environment: Mapping[str, str] | None = None) -> Firebase:
    """Return what runs firebase-tools for a project, with a configuration file."""

    def run(arguments: Sequence[str], log: str) -> Run:
        path = log_file(project, log)
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [
            *(str(toolchain.node()), str(paths.FIREBASE), *arguments),
            *("--project", project, "--config", str(config), "--non-interactive"),
        ]
        with path.open("wb") as out:
            process = subprocess.Popen(
                command,
                cwd=paths.ROOT,
                env={"FUNCTIONS_DISCOVERY_TIMEOUT": "60", **os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches only us; the group is ended below.
                process_group=0,
            )
            try:
                status = process.wait(SECONDS_MAX)
            except subprocess.TimeoutExpired:
                raise UserError(
                    f"firebase-tools did not finish within {SECONDS_MAX / 60:.0f} minutes.",
                    hint=f"Run the command again: it continues. Log: {path}",
                ) from None
            finally:
                if process.poll() is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        return Run(status, _ANSI.sub("", path.read_text(errors="replace")))

    return run
