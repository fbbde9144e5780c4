"""Runs all checks of a tree: the registry, and the report of one run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from stack.deploy.checks import (
    configuration,
    credentials,
    firestore,
    functions,
    page,
    requirements,
    settings,
)
from stack.deploy.finding import Check, Finding, NotPossible
from stack.deploy.tree import Tree

CHECKS = (
    Check(
        "configuration",
        "firebase.json matches firebase-tools' schema",
        configuration.matches_the_schema,
    ),
    Check("discovery", "the functions can be discovered", functions.are_discovered),
    Check(
        "runtime",
        "each runtime is the installed Python",
        functions.run_in_the_installed_python,
    ),
    Check("regions", "all functions are in one region", functions.have_a_region),
    Check(
        "limits",
        "each function sets memory, instances, concurrency, timeout",
        functions.have_limits,
    ),
    Check("retries", "events whose run fails are delivered again", functions.retry_events),
    Check(
        "bound secrets",
        "each function has the secrets that it reads",
        functions.bind_the_secrets_they_use,
    ),
    Check("rules", "the security rules compile", firestore.rules_compile),
    Check("indexes", "each recorded query has its index", firestore.queries_have_indexes),
    Check(
        "requirements",
        "each Python package has a version and a hash",
        requirements.are_pinned_with_hashes,
    ),
    Check("page", "the page builds, with all its settings", page.is_built_from_this_tree),
    Check(
        "page settings",
        "no setting of the page is a placeholder",
        page.has_no_placeholder,
    ),
    Check("page size", "the page is within its budget", page.is_within_its_budget),
    Check("page addresses", "the page uses no local address", page.connects_to_no_local_address),
    Check(
        "headers", "Hosting sends security and cache headers", configuration.hosting_sends_headers
    ),
    Check(
        "rewrites",
        "rewrites name functions that exist, and their region",
        configuration.rewrites_name_functions,
    ),
    Check("settings", "the project has every setting", settings.are_complete),
    Check("addresses", "no setting is a local address", settings.have_no_local_address),
    Check(
        "emulator settings",
        "no setting belongs to the emulators",
        settings.have_nothing_of_the_emulators,
    ),
    Check("faults", "no fault can be turned on", settings.allow_no_fault),
    Check("secret settings", "no settings file holds a secret", settings.hold_no_secret),
    Check("credentials", "the tree holds no credential", credentials.are_not_in_the_tree),
)

# The discovery of the functions, the compiler of the rules and the build of the page are processes
# of their own, and run side by side.
_WORKERS = 4
PASSED, FAILED, NOT_RUN = "passed", "failed", "not run"


@dataclass(frozen=True)
class Result:
    """What one check found.

    Attributes:
        check: the check's name.
        about: what holds if it passed.
        status: `passed`, `failed` or `not run`.
        seconds: how long it took.
        findings: the mistakes, empty unless it failed.
        reason: why it was not run; empty if it was.
    """

    check: str
    about: str
    status: str
    seconds: float
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    def summary(self) -> dict[str, Any]:
        """Return the result for JSON."""
        return asdict(self)


def run_checks(tree: Tree, checks: Sequence[Check] = CHECKS) -> list[Result]:
    """Run all checks, and return their results in the order of `checks`.

    An exception inside a check is a finding of that check, and the others run all the same.
    """
    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(lambda check: _run(check, tree), checks))


def findings(results: Iterable[Result]) -> list[tuple[str, Finding]]:
    """Return all findings, each with the name of its check."""
    return [(result.check, finding) for result in results for finding in result.findings]


def _run(check: Check, tree: Tree) -> Result:
    began = time.monotonic()
    status, reason, found = PASSED, "", list[Finding]()
    try:
        for finding in check.run(tree):
            found.append(finding)
    except NotPossible as error:
        status, reason = NOT_RUN, str(error)
    except Exception as error:  # noqa: BLE001  (one broken check must not hide what others find)
        found.append(
            Finding(
                f"The check itself failed: {type(error).__name__}: {error}",
                "scripts/stack/deploy",
                "Correct what the message names; if the tree is right, correct the check.",
            )
        )
    if found:
        status = FAILED
    return Result(
        check.name, check.about, status, round(time.monotonic() - began, 2), tuple(found), reason
    )
