"""Checks of the functions: that they can be discovered, and how each would be deployed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stack.deploy import manifest, secret_use
from stack.deploy.finding import Finding
from stack.deploy.tree import Tree

# Options whose defaults are right for no function here, by their key in the manifest. Each has the
# name of the decorator's argument, and what happens without it.
REQUIRED_OPTIONS = {
    "availableMemoryMb": ("memory", "the default of 256 MiB does not hold a worker under load"),
    "maxInstances": ("max_instances", "a flood of requests could start any number of instances"),
    "timeoutSeconds": ("timeout_sec", "the default of 60 s may be shorter than the work"),
}
# The threads of one worker of functions-framework for each vCPU; requests above wait, unseen.
THREADS_PER_CPU = 4


def are_discovered(tree: Tree) -> Iterator[Finding]:
    """Yield why `firebase deploy` could not discover a codebase's functions."""
    for codebase in manifest.discover(tree).codebases:
        if codebase.stage == "source":
            yield Finding(
                f"The codebase {codebase.name}: {codebase.error}",
                "firebase.json",
                f"Correct `source`, or create {codebase.source}/.",
                tree.line_of("firebase.json", rf'"source": *"{re.escape(codebase.source)}"'),
            )
        elif codebase.stage == "discovery":
            file, line = codebase.raised_at or (f"{codebase.source}/main.py", None)
            yield Finding(
                f"The functions of {codebase.name} cannot be loaded: "
                f"{codebase.raised or codebase.error}",
                file,
                "Correct the exception; `firebase deploy` would print less about it.",
                line,
            )
        elif codebase.stage in ("settings", "options"):
            file, line = _declaration(tree, codebase.source, codebase.error)
            yield Finding(
                f"firebase-tools refuses the functions of {codebase.name}: {codebase.error}",
                file,
                "Correct the option that the message names.",
                line,
            )


def run_in_the_installed_python(tree: Tree) -> Iterator[Finding]:
    """Yield the codebases whose runtime is another Python than the installed one.

    `firebase deploy` starts the interpreter of the runtime in the codebase's virtual environment.
    """
    for codebase in tree.codebases():
        runtime = codebase.get("runtime")
        if runtime != manifest.runtime():
            yield Finding(
                f"The runtime of {codebase['codebase']} is {runtime or 'not set'}, but its "
                f"packages are installed for {manifest.runtime()}.",
                "firebase.json",
                f'Set "runtime": "{manifest.runtime()}", or set THROUGHLINE_PYTHON to the path of '
                "the runtime's Python and delete .venv.",
                tree.line_of("firebase.json", r'"runtime"'),
            )


def have_a_region(tree: Tree) -> Iterator[Finding]:
    """Yield the functions without a region, and those in another region than the rest."""
    functions = manifest.discover(tree).functions()
    regions = [each.get("region") or manifest.NO_REGION for each in functions]
    usual = max(set(regions) - {manifest.NO_REGION}, key=regions.count, default=None)
    for function, region in zip(functions, regions, strict=True):
        if region == manifest.NO_REGION:
            yield _about(
                tree,
                function,
                f"{function['id']} has no region: firebase-tools would choose one by its trigger, "
                "us-east1 for Pub/Sub and the database's for Firestore.",
                "Set the region for all functions in one place, with options.set_global_options.",
            )
        elif region != usual:
            yield _about(
                tree,
                function,
                f"{function['id']} is in {region}, the other functions are in {usual}: each call "
                "between them would cross regions.",
                f"Deploy it to {usual}.",
            )


def have_limits(tree: Tree) -> Iterator[Finding]:
    """Yield the functions without memory, instances or timeout, or with too much concurrency."""
    for codebase in manifest.discover(tree).discovered():
        for name, declared in codebase.endpoints.items():
            function = {"id": name, "entryPoint": declared["entryPoint"], "source": codebase.source}
            for key, (option, consequence) in REQUIRED_OPTIONS.items():
                if declared.get(key) is None:
                    yield _about(
                        tree,
                        function,
                        f"{name} does not set {option}: {consequence}.",
                        f"Set {option} for it, or for all functions.",
                    )
            if declared.get("concurrency") is None:
                yield _about(
                    tree,
                    function,
                    f"{name} does not set concurrency: an instance would be sent 80 requests at a "
                    f"time and work on {THREADS_PER_CPU}, and the rest would wait unseen.",
                    f"Set concurrency to the threads of its server, {THREADS_PER_CPU} for each "
                    "vCPU, or set THREADS.",
                )
    for function in manifest.discover(tree).functions():
        threads = THREADS_PER_CPU * max(1, int(function.get("cpu") or 1))
        (codebase,) = (
            each
            for each in manifest.discover(tree).discovered()
            if each.name == function["codebase"]
        )
        if codebase.value("THREADS").isdecimal():
            threads = int(codebase.value("THREADS"))
        if _is_declared(tree, function, "concurrency") and function["concurrency"] > threads:
            yield _about(
                tree,
                function,
                f"{function['id']} has a concurrency of {function['concurrency']}, but its server "
                f"has {threads} threads: the other requests would wait inside an instance, unseen.",
                f"Lower concurrency to {threads}, or set THREADS.",
            )


def retry_events(tree: Tree) -> Iterator[Finding]:
    """Yield the functions started by events that the platform would deliver only once."""
    for function in manifest.discover(tree).functions():
        trigger = function.get("eventTrigger")
        if trigger is not None and not trigger.get("retry"):
            yield _about(
                tree,
                function,
                f"{function['id']} does not retry: an event whose run fails would be lost.",
                "Set retry=True; for a Firestore trigger, use boxoffice.retry.",
            )


def bind_the_secrets_they_use(tree: Tree) -> Iterator[Finding]:
    """Yield the secrets that a function's code reads but its deployment does not bind."""
    for codebase in manifest.discover(tree).discovered():
        secrets = {param["name"] for param in codebase.params if param["type"] == "secret"}
        bound_by_any = {
            secret["key"]
            for function in codebase.resolved
            for secret in function.get("secretEnvironmentVariables") or []
        }
        entry_points = [function["entryPoint"] for function in codebase.resolved]
        used_by = secret_use.secrets_used_by(
            tree.root / codebase.source, entry_points, secrets | bound_by_any
        )
        for function in codebase.resolved:
            place = {**function, "source": codebase.source}
            bound = {each["key"] for each in function.get("secretEnvironmentVariables") or []}
            for secret in sorted(used_by[function["entryPoint"]] - bound):
                yield _about(
                    tree,
                    place,
                    f"{function['id']} reads the secret {secret}, which is not bound to it.",
                    f"Bind it: secrets=[…] of the function's options must hold {secret}.",
                )


def _is_declared(tree: Tree, function: dict[str, Any], option: str) -> bool:
    return any(
        codebase.name == function["codebase"]
        and codebase.endpoints.get(function["id"], {}).get(option) is not None
        for codebase in manifest.discover(tree).discovered()
    )


def _about(tree: Tree, function: dict[str, Any], message: str, hint: str) -> Finding:
    file, line = _declaration(tree, function["source"], function["entryPoint"])
    return Finding(message, file, hint, line)


def _declaration(tree: Tree, source: str, text: str) -> tuple[str, int | None]:
    """Return the file and line in which the function that `text` names is defined."""
    words = set(re.findall(r"\w+", text))
    for path in sorted((tree.root / source).glob("*/*.py")) + sorted(
        (tree.root / source).glob("*.py")
    ):
        if path.stem in words:
            file = path.relative_to(tree.root).as_posix()
            line = tree.line_of(file, rf"^def {path.stem}\(")
            if line:
                return file, line
    for path in sorted((tree.root / source).glob("*.py")):
        file = path.relative_to(tree.root).as_posix()
        for word in sorted(words):
            if line := tree.line_of(file, rf"^def {word}\("):
                return file, line
    return f"{source}/main.py", None
