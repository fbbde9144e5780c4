"""Checks of the settings files that are deployed with the functions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stack.deploy import manifest
from stack.deploy.finding import Finding, NotPossible
from stack.deploy.tree import Tree, read_settings

LOCAL_ADDRESS = re.compile(
    r"\b(127(?:\.\d{1,3}){3}|localhost|0\.0\.0\.0|10\.0\.2\.2|host\.docker\.internal)\b|\[::1\]"
)
_EMULATOR_ONLY = re.compile(r"EMULATOR|^CLOUD_DELIVERY_|^CLOUD_FIRESTORE_INDEXES$|^K_SERVICE$")
_FAULTS_ON = "always"


def are_complete(tree: Tree) -> Iterator[Finding]:
    """Yield the parameters for which the project's settings file has no value."""
    if not tree.project:
        raise NotPossible("no project was named; name one with --project")
    for codebase in manifest.discover(tree).discovered():
        file = f"{codebase.source}/.env.{tree.project}"
        for name in codebase.missing:
            yield Finding(
                f"{name} has no value for the project {tree.project}.",
                file,
                f"Add the line {name}=… to the file; .env.example describes it.",
            )


def have_no_local_address(tree: Tree) -> Iterator[Finding]:
    """Yield the settings whose value is an address of the machine that deploys."""
    for file in tree.settings_files():
        for line, name, value in read_settings(tree.text(file)):
            if found := LOCAL_ADDRESS.search(value):
                yield Finding(
                    f"{name} is {value}, and {found[0]} is this machine.",
                    file,
                    "Set the address that the deployed functions can reach.",
                    line,
                )


def have_nothing_of_the_emulators(tree: Tree) -> Iterator[Finding]:
    """Yield the settings that only the emulators and the local stack may set."""
    for file in tree.settings_files():
        for line, name, _ in read_settings(tree.text(file)):
            if _EMULATOR_ONLY.search(name):
                yield Finding(
                    f"{name} is a setting of the emulators: with it, deployed functions would look "
                    "for an emulator.",
                    file,
                    f"Delete the line. For the local stack, set {name} in the environment of "
                    "./scripts/dev.",
                    line,
                )


def allow_no_fault(tree: Tree) -> Iterator[Finding]:
    """Yield the settings that let the deliberate bugs be turned on in production."""
    for file in tree.settings_files():
        for line, name, value in read_settings(tree.text(file)):
            if name == "FAULTS" and value == _FAULTS_ON:
                yield Finding(
                    "FAULTS=always lets anyone who can write a flag turn on the deliberate bugs.",
                    file,
                    "Delete the line, or set FAULTS=never.",
                    line,
                )
    for codebase in manifest.discover(tree).discovered():
        for param in codebase.params:
            if param["name"] == "FAULTS" and param.get("default") == _FAULTS_ON:
                yield Finding(
                    "The default of FAULTS is always.",
                    f"{codebase.source}/settings.py",
                    "Change the default to emulated.",
                    tree.line_of(f"{codebase.source}/settings.py", '"FAULTS"'),
                )


def hold_no_secret(tree: Tree) -> Iterator[Finding]:
    """Yield the secrets that a settings file holds; they would be readable in the console."""
    secrets = {
        param["name"]
        for codebase in manifest.discover(tree).discovered()
        for param in codebase.params
        if param["type"] == "secret"
    }
    for file in tree.settings_files():
        for line, name, value in read_settings(tree.text(file)):
            if name in secrets and value:
                yield Finding(
                    f"{name} is a secret, and this file would deploy it as a plain setting.",
                    file,
                    f"Delete the line, and run: ./scripts/deploy --project {tree.project_id} "
                    f"--secret {name}",
                    line,
                )
