"""Builds the page for a project, beside the build of the local stack.

`frontend/dist` always holds the page of the local stack, which connects to the emulators, so it is
never what is deployed.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stack import paths
from stack.console import step
from stack.deploy.finding import NotPossible
from stack.deploy.tree import Tree, read_settings
from stack.setup import external_command

EXAMPLE = "frontend/.env.example"
_INPUTS = ("frontend", "design-tokens", "package-lock.json")
_LEFT_OUT = {"node_modules", "dist", "test-results"}
# The settings that the built page holds: Vite replaces import.meta.env by an object.
_INLINED = re.compile(r"""(?P<name>VITE_\w+)["']?:(?P<quote>["'`])(?P<value>.*?)(?P=quote)""")

_lock = threading.Lock()
_failed: dict[Tree, str] = {}


@dataclass(frozen=True)
class Page:
    """A built page.

    Attributes:
        folder: the folder that Hosting serves.
        fingerprint: a digest of the sources and settings that it was built from.
    """

    folder: Path
    fingerprint: str

    def scripts(self) -> list[Path]:
        """Return the scripts, without their source maps."""
        return sorted((self.folder / "assets").glob("*.js"))

    def settings(self) -> dict[str, str]:
        """Return the settings that the scripts hold."""
        return {
            match["name"]: match["value"]
            for script in self.scripts()
            for match in _INLINED.finditer(script.read_text())
        }

    def first_load(self) -> list[Path]:
        """Return the scripts that the buyer's page loads before it shows anything."""
        html = (self.folder / "index.html").read_text()
        return [
            self.folder / file for file in re.findall(r'(?:src|href)="/(assets/[^"]+\.js)"', html)
        ]


def gzip_bytes(files: list[Path]) -> int:
    """Return the size of files, each compressed by itself, as Hosting sends them."""
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)


def settings_for(
    tree: Tree, region: str, web_app: Mapping[str, str], functions: Mapping[str, str]
) -> dict[str, str]:
    """Return the settings of the page for a project.

    Args:
        tree: the tree; `frontend/.env.<project>` overrides what is derived here.
        region: the region of the functions.
        web_app: the configuration of the project's web app, as Firebase's API returns it.
        functions: the settings of the functions, from which the card processor's address is taken.
    """
    project = tree.project_id
    derived = {
        "VITE_FIREBASE_PROJECT_ID": project,
        "VITE_FIREBASE_API_KEY": web_app.get("apiKey", "unknown-until-deployment"),
        "VITE_FIREBASE_AUTH_DOMAIN": web_app.get("authDomain", f"{project}.firebaseapp.com"),
        "VITE_AUTH_EMULATOR_URL": "",
        "VITE_FIRESTORE_EMULATOR": "",
        "VITE_FUNCTIONS_URL": f"https://{region}-{project}.cloudfunctions.net",
        "VITE_APP_CHECK_KEY": "",
        # A path of the site, where Hosting passes telemetry on.
        "VITE_OTLP_ENDPOINT": "/telemetry",
        "VITE_OBSERVATORY_URL": "",
        "VITE_ACQUIRER_URL": functions.get("ACQUIRER_URL", "")
        or ("" if tree.project else "https://processor.example"),
    }
    # The example has a value that is right for every project where it is not derived here.
    example = {name: value for _, name, value in read_settings(tree.text(EXAMPLE))}
    chosen = read_settings(tree.text(f"frontend/.env.{project}"))
    return (
        example | derived | {name: value for _, name, value in chosen if name.startswith("VITE_")}
    )


def build(tree: Tree, settings: Mapping[str, str]) -> Page:
    """Build the page, unless it has been built from the same sources and settings.

    Raises:
        UserError: the build fails.
    """
    with _lock:
        folder = paths.MADE / "deploy" / (tree.project or "check") / "page"
        if tree.root != paths.ROOT:
            folder = tree.root / ".throughline" / "page"
        page = Page(folder, fingerprint(tree, settings))
        stamp = folder.parent / "page-fingerprint"
        if stamp.is_file() and stamp.read_text() == page.fingerprint and folder.is_dir():
            return page
        stamp.unlink(missing_ok=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with step("Building the page for production"):
            external_command.run(
                [
                    *(str(paths.ROOT / "node_modules" / ".bin" / "vite"), "build"),
                    # The mode decides which file of settings an error of the build names.
                    *("--mode", tree.project_id),
                    *("--outDir", str(folder), "--emptyOutDir"),
                ],
                "deploy-page",
                "Fix this error in the page's code or settings.",
                cwd=tree.root / "frontend",
                env=settings,
            )
        stamp.write_text(page.fingerprint)
        return page


def built_for_check(tree: Tree, region: str, functions: Mapping[str, str]) -> Page:
    """Build the page with settings that need no account; a build that failed is not repeated.

    Raises:
        UserError: the build fails.
        NotPossible: the build has failed in another check.
    """
    if tree in _failed:
        raise NotPossible("the page was not built")
    try:
        return build(tree, settings_for(tree, region, {}, functions))
    except Exception as error:
        _failed[tree] = str(error)
        raise


def fingerprint(tree: Tree, settings: Mapping[str, str]) -> str:
    """Return a digest of everything that the page is built from."""
    digest = hashlib.sha256()
    for name, value in sorted(settings.items()):
        digest.update(f"{name}={value}\0".encode())
    for file in _input_files(tree.root):
        digest.update(file.relative_to(tree.root).as_posix().encode() + b"\0")
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _input_files(root: Path) -> Iterator[Path]:
    for name in _INPUTS:
        path = root / name
        if path.is_file():
            yield path
        for folder, inner, files in os.walk(path):
            inner[:] = sorted(set(inner) - _LEFT_OUT)
            yield from (Path(folder) / file for file in sorted(files))
