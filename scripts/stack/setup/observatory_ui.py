"""Builds the explorer, the Observatory's pages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from stack import paths
from stack.console import step
from stack.setup import external_command, toolchain
from stack.setup.steps import files_in, step_needed

NPM_HINT = "Check that the npm registry can be reached, and run the command again."

_WORKSPACES = ("design-tokens", "observatory/ui")
_SOURCES = ("observatory/ui", "design-tokens", "package-lock.json")


def build() -> Path:
    """Build the explorer unless it is up to date, and return its folder.

    The checkout's Node packages are used if they are installed. Otherwise only those that the
    explorer needs are installed, in a folder of their own.

    Raises:
        UserError: Node.js is missing, a package can't be downloaded, or the build fails.
    """
    ui = paths.OBSERVATORY_UI
    with step_needed("observatory-ui", files_in(*_SOURCES), [], ui / "index.html") as needed:
        if not needed:
            return ui
        root = paths.ROOT if _vite(paths.ROOT).exists() else _own_packages()
        with step("Observatory's pages"):
            external_command.run(
                [str(_vite(root)), "build", "--outDir", str(ui), "--emptyOutDir"],
                "observatory-ui",
                "Fix this error in the code of the Observatory's pages.",
                cwd=root / "observatory" / "ui",
            )
    return ui


def _vite(root: Path) -> Path:
    return root / "node_modules" / ".bin" / "vite"


def _own_packages() -> Path:
    """Copy the explorer's sources, and install its packages beside them.

    npm installs all workspaces' packages, among them firebase-tools, unless the root package names
    fewer of them. The versions and hashes are those of the lock file.
    """
    toolchain.node()
    folder = paths.MADE / "observatory" / "ui"
    shutil.rmtree(folder, ignore_errors=True)
    for workspace in _WORKSPACES:
        shutil.copytree(
            paths.ROOT / workspace,
            folder / workspace,
            ignore=shutil.ignore_patterns("node_modules", "dist"),
        )
    root = json.loads((paths.ROOT / "package.json").read_text())
    root["workspaces"] = _WORKSPACES
    root["devDependencies"] = {"vite": root["devDependencies"]["vite"]}
    (folder / "package.json").write_text(json.dumps(root))
    for name in ("package-lock.json", ".npmrc"):
        shutil.copyfile(paths.ROOT / name, folder / name)
    with step("Node packages of the Observatory's pages"):
        external_command.run(
            ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],
            "npm-observatory",
            NPM_HINT,
            cwd=folder,
        )
    return folder
