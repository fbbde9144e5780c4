"""Copies what is deployed, with the settings that an operator would write, into a folder."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stack import paths
from stack.local.addresses import StackAddresses

# The CLI leaves these out by firebase.json; copying them would only take time.
_NOT_COPIED = shutil.ignore_patterns("venv", "__pycache__", "*.log", ".env*")


def settings(addresses: StackAddresses) -> dict[str, str]:
    """Return the settings for a rehearsal that differ from functions/.env.example.

    Those that the deployed tree does not read are harmless.
    """
    return {
        "ACQUIRER_URL": addresses.acquirer,
        "SETTLE_URL": addresses.function("settle"),
        "SITE_ORIGINS": json.dumps([addresses.hosting]),
        "ORGANISER_EMAILS": json.dumps(["organiser@example.org"]),
        "OTEL_EXPORTER_OTLP_ENDPOINT": addresses.observatory,
        "OTEL_LOGS_EXPORTER": "otlp",
    }


def secrets(addresses: StackAddresses) -> dict[str, str]:
    """Return the values of the functions' secrets for a rehearsal."""
    return {
        "ACQUIRER_WEBHOOK_SECRET": "whsec_for_the_local_stack_only",
        # The rules monitor computes pseudonyms with the project's id.
        "PSEUDONYM_SALT": addresses.project,
    }


def stage(
    folder: Path,
    public: Path,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    project: str,
) -> list[str]:
    """Copy what firebase.json names into `folder`; return the secrets to create before deploying.

    Args:
        folder: is replaced.
        public: the built page.
        settings: are written to the .env file of each codebase, with the others of its example.
        secrets: are written there too, unless the codebase declares them as secrets.
        project: the project's id.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config: Any = json.loads((paths.ROOT / "firebase.json").read_text())
    for name in ("firebase.json", ".firebaserc"):
        shutil.copy(paths.ROOT / name, folder)
    for name in (config["firestore"]["rules"], config["firestore"]["indexes"]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths.ROOT / name, folder / name)
    declared: set[str] = set()
    for codebase in config["functions"]:
        source = paths.ROOT / codebase["source"]
        shutil.copytree(source, folder / codebase["source"], ignore=_NOT_COPIED)
        # The CLI discovers the functions with this environment; it is not uploaded.
        (folder / codebase["source"] / "venv").symlink_to(source / "venv")
        bound = set(_declared_secrets(source))
        declared |= bound
        undeclared = {name: secrets[name] for name in secrets if name not in bound}
        values = {**example_of(source), **settings, **undeclared}
        lines = [f"{name}={value}" for name, value in sorted(values.items())]
        (folder / codebase["source"] / f".env.{project}").write_text("\n".join(lines) + "\n")
    destination = folder / config["hosting"]["public"]
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.symlink_to(os.path.realpath(public))
    return sorted(declared & set(secrets))


def example_of(folder: Path) -> dict[str, str]:
    """Return the settings that the folder's .env.example has, except those in comments."""
    example = folder / ".env.example"
    if not example.is_file():
        return {}
    pairs = re.findall(r"^([A-Z]\w*)=(.*)$", example.read_text(), re.MULTILINE)
    return dict(pairs)


def _declared_secrets(source: Path) -> Iterator[str]:
    """Yield the names that the source declares with SecretParam."""
    for path in source.glob("*.py"):
        yield from re.findall(r'SecretParam\(\s*"(\w+)"', path.read_text())
