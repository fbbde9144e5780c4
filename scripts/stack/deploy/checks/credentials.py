"""Looks for credentials in the tree: in the files under version control and in what is uploaded."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from stack.deploy.finding import Finding
from stack.deploy.tree import Tree

# What a credential looks like, with the source of the format. The web API key of Firebase is not
# among them: it identifies a project and is part of every page
# (https://firebase.google.com/docs/projects/api-keys).
PATTERNS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "a Google service account": re.compile(r'"private_key_id"\s*:\s*"[0-9a-f]{40}"'),
    "a Google OAuth client secret": re.compile(r"\bGOCSPX-[\w-]{28}\b"),
    "a Google refresh token": re.compile(r"\b1//0[\w-]{40,}"),
    # https://docs.stripe.com/keys and https://docs.stripe.com/webhooks
    "a Stripe secret key": re.compile(r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}"),
    "a Stripe webhook secret": re.compile(r"\bwhsec_[0-9A-Za-z]{24,}"),
    # https://docs.honeycomb.io/configure/environments/manage-api-keys/
    "a Honeycomb key": re.compile(
        r"\bhc[a-z]{2}k_[0-9a-z]{26,}|x-honeycomb-team(?:=|%3D|\"?:\s*\"?)[0-9A-Za-z]{22,}", re.I
    ),
    # https://docs.github.com/en/authentication/keeping-your-account-and-data-secure
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{60,})"),
    "an AWS access key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a Slack token": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{20,}"),
    "an npm token": re.compile(r"\bnpm_[0-9A-Za-z]{36}\b"),
}
_LARGEST_FILE_BYTES = 5_000_000
_LEFT_OUT = {".git", "node_modules", "venv", ".venv", ".throughline", "__pycache__", "dist"}


def are_not_in_the_tree(tree: Tree) -> Iterator[Finding]:
    """Yield the credentials in versioned files, and in files that would be uploaded."""
    for file in sorted(_files(tree)):
        path = tree.root / file
        if not path.is_file() or path.stat().st_size > _LARGEST_FILE_BYTES:
            continue
        content = path.read_bytes()
        if b"\0" in content[:8_000]:
            continue
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
            for what, pattern in PATTERNS.items():
                if pattern.search(line):
                    yield Finding(
                        f"It holds {what}.",
                        file,
                        "Revoke the credential, because the history keeps it; then store the new "
                        "one in Secret Manager.",
                        number,
                    )


def _files(tree: Tree) -> set[str]:
    """Return the versioned files, and those that are uploaded though they are not versioned."""
    listed = subprocess.run(
        ["git", "-C", str(tree.root), "ls-files", "-z"], capture_output=True, text=True, check=False
    )
    is_checkout = listed.returncode == 0 and (tree.root / ".git").exists()
    files = set(filter(None, listed.stdout.split("\0"))) if is_checkout else set(_walk(tree.root))
    for codebase in tree.codebases():
        ignored = codebase.get("ignore", [])
        files |= {
            f"{codebase['source']}/{file}"
            for file in _walk(tree.root / codebase["source"])
            if not any(fnmatch(part, glob) for part in Path(file).parts for glob in ignored)
        }
    # The settings files are not part of the upload, but their values are.
    return files | set(tree.settings_files())


def _walk(root: Path, folder: str = "") -> Iterator[str]:
    for path in sorted((root / folder).iterdir()) if (root / folder).is_dir() else []:
        if path.name in _LEFT_OUT:
            continue
        relative = f"{folder}{path.name}"
        if path.is_dir() and not path.is_symlink():
            yield from _walk(root, f"{relative}/")
        elif path.is_file():
            yield relative
