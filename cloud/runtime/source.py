"""Unpacks a deployed source, and installs its requirements as the buildpack does.

https://docs.cloud.google.com/docs/buildpacks/python: the buildpack installs requirements.txt with
pip into an environment of the runtime's Python version. Here uv installs it, and the environment is
kept for the next deployment with the same requirements.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from cloud.deployment.deployed import BadDeployment

REQUIREMENTS = "requirements.txt"
BUILD_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class Source:
    """A source that is ready to run: its folder and its environment's executables."""

    folder: Path
    bin: Path


class Builder:
    """Builds sources in `folder`; environments are kept in `cache` by their requirements."""

    def __init__(self, folder: Path, cache: Path, uv: str, python: str) -> None:
        self._folder = folder
        self._cache = cache
        self._uv = uv
        self._python = python
        self._built: dict[Path, Source] = {}

    async def build(self, archive: Path) -> Source:
        """Return the source of an uploaded archive, built once.

        Raises:
            BadDeployment: the archive can't be unpacked, or its requirements can't be installed.
        """
        if archive not in self._built:
            folder = self._folder / archive.stem
            await asyncio.to_thread(_unpack, archive, folder)
            self._built[archive] = Source(folder, await self._environment(folder))
        return self._built[archive]

    async def _environment(self, source: Path) -> Path:
        requirements = source / REQUIREMENTS
        if not requirements.is_file():
            raise BadDeployment(f"The deployed source has no {REQUIREMENTS}.")
        version = await self._run(self._python, "--version")
        key = hashlib.sha256(requirements.read_bytes() + version.encode()).hexdigest()[:16]
        environment = self._cache / key
        if not (environment / "complete").is_file():
            shutil.rmtree(environment, ignore_errors=True)
            await self._run(self._uv, "venv", "--quiet", "--python", self._python, str(environment))
            await self._run(
                *(self._uv, "pip", "install", "--quiet", "--compile-bytecode"),
                *("--python", str(environment / "bin" / "python"), "-r", str(requirements)),
            )
            (environment / "complete").touch()
        if not (environment / "bin" / "functions-framework").is_file():
            raise BadDeployment(f"{REQUIREMENTS} does not list functions-framework.")
        return environment / "bin"

    async def _run(self, *command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(BUILD_TIMEOUT_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            raise BadDeployment(
                f"{command[0]} took more than {BUILD_TIMEOUT_SECONDS:g} s"
            ) from None
        if process.returncode:
            last_line = output.decode(errors="replace").strip().rpartition("\n")[2]
            raise BadDeployment(f"{' '.join(command[:3])} failed: {last_line}")
        return output.decode(errors="replace")


def _unpack(archive: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as contents:
            contents.extractall(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise BadDeployment(f"{archive.name} can't be unpacked: {error}") from error
