"""`./scripts/test`: install what is missing, and run all tests or some tiers of them."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from stack import paths
from stack.console import print_line
from stack.local import running
from stack.local.addresses import free_addresses
from stack.setup import install, toolchain

FOLDER = paths.MADE / "test"
# Options of pytest-xdist. Idle workers take tests from busy ones. More than four workers would save
# only seconds, and each starts a browser.
ON_ALL_CORES = ("--numprocesses=auto", "--maxprocesses=4", "--dist=worksteal")


@dataclasses.dataclass(frozen=True)
class Tier:
    """A tier of the tests: a folder in tests/, and what its tests need.

    Attributes:
        about: one-line description.
        stack: whether some of the tests need a stack.
        parallel: whether some of the tests can run in parallel.
        browser: whether some of the tests need a browser.
    """

    about: str
    stack: bool = True
    parallel: bool = False
    browser: bool = False


TIERS = {
    "unit": Tier(
        "one component at a time, the page included; no emulators", stack=False, parallel=True
    ),
    "rules": Tier("the security rules, in the real rules engine, as different users"),
    "security": Tier(
        "forged requests, mutants of the rules, locks of strangers and killed processes",
        stack=False,
    ),
    "hops": Tier("each hop on the real emulators, invalid input included"),
    "journey": Tier("whole purchases, with a real browser", parallel=True, browser=True),
    "scenarios": Tier("every scenario, with its fault and fixed", browser=True),
    "production": Tier("what is deployed, and the deployment", stack=False, parallel=True),
}


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    names, pytest_options, long = _parse(arguments)
    began = time.monotonic()
    # The tests start hundreds of Python processes. Without cached bytecode each would compile
    # everything that it imports, which takes longer than most of the tests.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    print_line("Throughline: setting up")
    install.everything(chromium=any(TIERS[name].browser for name in names))
    statuses = [_vitest()] if "unit" in names else []
    statuses += _pytests(names, pytest_options, long=long)
    print_line(f"Tests took {time.monotonic() - began:.0f} s, set-up included.")
    return 1 if any(statuses) else 0


def _vitest() -> int:
    print_line("The page's tests (vitest)")
    vitest = paths.ROOT / "node_modules" / ".bin" / "vitest"
    return subprocess.run([str(vitest), "run"], cwd=paths.ROOT, check=False).returncode


def _pytests(names: list[str], options: list[str], *, long: bool) -> list[int]:
    """Run pytest, and return its exit statuses.

    Tests that can run in parallel run first, on all cores. Then those that use the stack or measure
    time run one by one, because other tests would distort their timing. With options for pytest,
    all tests run in one process, so that -x, -s and --pdb work.
    """
    statuses = []
    # The later -m wins over the one of pyproject.toml, which leaves the long tests out.
    selection = ("-m", "long or not long") if long else ()
    if not options and (parallel := [name for name in names if TIERS[name].parallel]):
        statuses.append(_pytest(parallel, (*selection, "--one-by-one=none", *ON_ALL_CORES), None))
    with _stack(needed=any(TIERS[name].stack for name in names)) as stack:
        serial = options or ("--one-by-one=only",)
        statuses.append(_pytest(names, (*selection, *serial), stack))
    return statuses


def _pytest(names: Sequence[str], options: Sequence[str], stack: dict[str, object] | None) -> int:
    environment = dict(os.environ)
    if stack:
        environment["THROUGHLINE_STACK"] = json.dumps(stack)
    if chromium := toolchain.chromium():
        environment["THROUGHLINE_CHROMIUM"] = str(chromium)
    folders = [f"tests/{name}" for name in names if (paths.ROOT / "tests" / name).is_dir()]
    command = [str(paths.python_in(paths.VENV)), "-m", "pytest", *folders, *options]
    return subprocess.run(command, cwd=paths.ROOT, env=environment, check=False).returncode


@contextmanager
def _stack(*, needed: bool) -> Iterator[dict[str, object] | None]:
    """Run a stack if `needed`, and yield the settings that tests/addresses.py reads."""
    if not needed:
        yield None
        return
    addresses = free_addresses()
    with running.stack(addresses, FOLDER) as processes:
        yield {
            "port_offset": addresses.offset,
            "observatory_pid": processes.pid("The Observatory"),
            "redelivery_pid": processes.pid("Redelivery"),
        }


def _parse(words: Sequence[str]) -> tuple[list[str], list[str], bool]:
    width = max(map(len, TIERS))
    parser = argparse.ArgumentParser(
        prog="./scripts/test",
        description="Install what is missing, start a separate stack, and run the tests on it.",
        epilog="tiers:\n"
        + "\n".join(f"  {name:<{width}}  {tier.about}" for name, tier in TIERS.items())
        + "\n\nTests that need no stack run on all cores, the others one by one."
        + "\nArguments after -- are passed to pytest: ./scripts/test hops -- -k webhook"
        + "\nAll tests then run in one process; -n auto runs the unit tier in parallel."
        + "\nExit status: 0 all tests passed; 1 a test failed or could not run; 2 bad usage.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tier", nargs="*", help="tiers to run (default: all)")
    parser.add_argument(
        "--long",
        action="store_true",
        help="also run the slow and broad tests, each of which has a short version in the fast "
        "suite; run this before a release",
    )
    arguments, pytest_options = list(words), []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, pytest_options = arguments[:at], arguments[at + 1 :]
    options = parser.parse_args(arguments)
    names: list[str] = options.tier or list(TIERS)
    for name in names:
        if name not in TIERS:
            near = difflib.get_close_matches(name, TIERS)
            suggestion = (
                f"did you mean {' or '.join(near)}?"
                if near
                else f"the tiers are {', '.join(TIERS)}"
            )
            parser.error(f"there is no tier {name!r}; {suggestion}")
    return names, pytest_options, options.long
