"""Mistakes that a deployment would ship or fail on, each with the check that must find it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack import paths

PROJECT = "example-shop"
SETTINGS = f"functions/.env.{PROJECT}"
PAGE_SETTINGS = f"frontend/.env.{PROJECT}"


@dataclass(frozen=True)
class Mistake:
    """A mistake, and how it must be reported.

    Attributes:
        name: what is wrong, as the name of the test.
        make: makes the mistake in the tree at a path.
        check: the check that must find it.
        file: the file that the finding must name.
        message: a part of the finding's message.
        hint: a part of the finding's hint.
    """

    name: str
    make: Callable[[Path], None]
    check: str
    file: str
    message: str
    hint: str


def copy_tree(root: Path) -> None:
    """Copy what the checks read into the folder `root`; packages are links to the checkout's."""
    leave_out = shutil.ignore_patterns(
        "venv", "node_modules", "dist", "__pycache__", ".*_cache", ".secret.local"
    )
    root.mkdir(exist_ok=True)
    for folder in ("functions", "frontend", "design-tokens", "rules"):
        shutil.copytree(paths.ROOT / folder, root / folder, ignore=leave_out)
    for file in ("firebase.json", "package.json", "package-lock.json"):
        shutil.copyfile(paths.ROOT / file, root / file)
    for packages in ("node_modules", "frontend/node_modules", "functions/venv"):
        if (paths.ROOT / packages).exists():
            (root / packages).symlink_to(paths.ROOT / packages)


def replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Return a mistake that replaces the first `old` in a file, which must contain it."""

    def make(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text, f"{file} has no {old!r}: the mistake can no longer be made"
        (root / file).write_text(text.replace(old, new, 1))

    return make


def append(file: str, text: str) -> Callable[[Path], None]:
    """Return a mistake that appends `text` to a file, which may be new."""

    def make(root: Path) -> None:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((path.read_text() if path.is_file() else "") + text)

    return make


def change_firebase_json(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Return a mistake that changes the parsed firebase.json."""

    def make(root: Path) -> None:
        path = root / "firebase.json"
        config = json.loads(path.read_text())
        change(config)
        path.write_text(json.dumps(config, indent=2))

    return make


def _drop_first_hash(root: Path) -> None:
    path = root / "functions" / "requirements.txt"
    text = path.read_text()
    entry = re.compile(r"^(\S+==\S+) \\\n(?:    --hash=\S+(?: \\)?\n)+", re.MULTILINE)
    without, dropped = entry.subn(r"\1\n", text, count=1)
    assert dropped, "requirements.txt has no hash that could be dropped"
    path.write_text(without)


def _drop_index(root: Path) -> None:
    path = root / "rules" / "firestore.indexes.json"
    indexes = json.loads(path.read_text())
    indexes["indexes"] = [
        index for index in indexes["indexes"] if index["collectionGroup"] != "tickets"
    ]
    path.write_text(json.dumps(indexes, indent=2))


def _drop_setting(root: Path) -> None:
    path = root / SETTINGS
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("HOLD_SECONDS=")]
    assert len(kept) < len(lines), "HOLD_SECONDS is no setting any more"
    path.write_text("".join(kept))


def _drop_security_headers(config: dict[str, Any]) -> None:
    entry = next(each for each in config["hosting"]["headers"] if each["source"] == "**")
    entry["headers"] = [
        each for each in entry["headers"] if each["key"] != "X-Content-Type-Options"
    ]


def _rewrite(**function: str) -> Callable[[dict[str, Any]], object]:
    return lambda config: config["hosting"]["rewrites"][0].update(function=function)


# Put together here, so that this file holds no text that looks like a credential.
_STRIPE_KEY = "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc"
_SERVICE_ACCOUNT = json.dumps(
    {"type": "service_account", "private_key_id": "0f" * 20, "client_email": "a@b.example"}
)
_LARGE_MODULE = (
    "export const LARGE = ["
    + ",".join(f'"{number * 2654435761 % 2**61:x}"' for number in range(30_000))
    + "];\n"
)


def _import_large_module(root: Path) -> None:
    append("frontend/src/large.ts", _LARGE_MODULE)(root)
    entry = re.search(r'src="/(src/[^"]+)"', (root / "frontend" / "index.html").read_text())
    assert entry, "index.html has no entry module"
    path = root / "frontend" / entry[1]
    relative = "../" * (len(Path(entry[1]).parts) - 2) or "./"
    path.write_text(
        f'import {{ LARGE }} from "{relative}large";\n{path.read_text()}\n'
        "document.documentElement.dataset.large = String(LARGE.indexOf(location.hash));\n"
    )


MISTAKES = (
    Mistake(
        "a misspelt setting in firebase.json",
        replace("firebase.json", '"rewrites"', '"rewritse"'),
        "configuration",
        "firebase.json",
        "rewritse is not a known setting",
        "Correct the name",
    ),
    Mistake(
        "a comma too many in firebase.json",
        replace("firebase.json", '"public": ', '"public": , '),
        "configuration",
        "firebase.json",
        "is not JSON",
        "Correct the syntax",
    ),
    Mistake(
        "a module that cannot be imported",
        replace("functions/boxoffice/charge.py", "import throughline\n", "import throughlin\n"),
        "discovery",
        "functions/boxoffice/charge.py",
        "No module named 'throughlin'",
        "Correct the exception",
    ),
    Mistake(
        "a runtime that is not installed",
        change_firebase_json(lambda config: config["functions"][0].update(runtime="python310")),
        "runtime",
        "firebase.json",
        "python310",
        "THROUGHLINE_PYTHON",
    ),
    Mistake(
        "a function without a region",
        replace("functions/boxoffice/availability.py", "**function_options.AVAILABILITY", "cpu=1"),
        "regions",
        "functions/boxoffice/availability.py",
        "availability has no region",
        "Set the region",
    ),
    Mistake(
        "functions without a memory limit",
        replace("functions/function_options.py", '        "memory": memory,\n', ""),
        "limits",
        "functions/boxoffice/charge.py",
        "charge does not set memory",
        "Set memory",
    ),
    Mistake(
        "more requests at a time than threads",
        replace(
            "functions/function_options.py", '"concurrency": settings.THREADS', '"concurrency": 80'
        ),
        "limits",
        "functions/boxoffice/quote.py",
        "concurrency of 80",
        "Lower concurrency",
    ),
    Mistake(
        "an event that is not retried",
        replace(
            "functions/boxoffice/charge.py",
            "**function_options.CHARGE",
            '**{**function_options.CHARGE, "retry": False}',
        ),
        "retries",
        "functions/boxoffice/charge.py",
        "charge does not retry",
        "retry=True",
    ),
    Mistake(
        "a secret that is not bound",
        replace("functions/function_options.py", ", settings.ACQUIRER_WEBHOOK_SECRET)", ")"),
        "bound secrets",
        "functions/boxoffice/settle.py",
        "ACQUIRER_WEBHOOK_SECRET, which is not bound",
        "secrets=",
    ),
    Mistake(
        "rules that do not compile",
        replace("rules/firestore.rules", "allow get", "alow get"),
        "rules",
        "rules/firestore.rules",
        "alow",
        "Correct the rules",
    ),
    Mistake(
        "a query without its index",
        _drop_index,
        "indexes",
        "rules/firestore.indexes.json",
        "tickets (uid, issued_at desc)",
        "Add the index",
    ),
    Mistake(
        "a requirement without a hash",
        _drop_first_hash,
        "requirements",
        "functions/requirements.txt",
        "has no hash",
        "--generate-hashes",
    ),
    Mistake(
        "a requirement that is not locked",
        append("functions/requirements.in", "\nhumanize>=4\n"),
        "requirements",
        "functions/requirements.in",
        "humanize",
        "uv pip compile",
    ),
    Mistake(
        "a page that does not build",
        replace("frontend/src/settings.ts", "export function readSettings(", "export function ("),
        "page",
        "frontend",
        "vite",
        "npm run build",
    ),
    Mistake(
        "a page above its budget",
        _import_large_module,
        "page size",
        "frontend/src",
        "the budget is",
        "import()",
    ),
    Mistake(
        "a page that calls this machine",
        append(PAGE_SETTINGS, "VITE_OTLP_ENDPOINT=http://localhost:4318\n"),
        "page addresses",
        PAGE_SETTINGS,
        "localhost",
        "browsers can reach",
    ),
    Mistake(
        "a page that uses an emulator",
        append(PAGE_SETTINGS, "VITE_FIRESTORE_EMULATOR=emulator.example:8080\n"),
        "page addresses",
        PAGE_SETTINGS,
        "VITE_FIRESTORE_EMULATOR",
        "Delete the line",
    ),
    Mistake(
        "a setting of the page that was not filled in",
        append(PAGE_SETTINGS, "VITE_FIREBASE_API_KEY=my-api-key\n"),
        "page settings",
        PAGE_SETTINGS,
        "placeholder",
        "Set VITE_FIREBASE_API_KEY",
    ),
    Mistake(
        "a missing security header",
        change_firebase_json(_drop_security_headers),
        "headers",
        "firebase.json",
        "nosniff",
        "hosting.headers",
    ),
    Mistake(
        "a rewrite to no function",
        change_firebase_json(_rewrite(functionId="availabilty")),
        "rewrites",
        "firebase.json",
        "availabilty, which does not exist",
        "availability",
    ),
    Mistake(
        "a rewrite to another region",
        change_firebase_json(_rewrite(functionId="availability", region="europe-west9")),
        "rewrites",
        "firebase.json",
        "europe-west9",
        'Delete "region"',
    ),
    Mistake(
        "a setting without a value",
        _drop_setting,
        "settings",
        SETTINGS,
        "HOLD_SECONDS has no value",
        "HOLD_SECONDS=",
    ),
    Mistake(
        "a local address in the settings",
        append(SETTINGS, "ACQUIRER_URL=http://127.0.0.1:4320\n"),
        "addresses",
        SETTINGS,
        "127.0.0.1",
        "deployed functions can reach",
    ),
    Mistake(
        "an emulator in the settings",
        append(SETTINGS, "FIRESTORE_EMULATOR_HOST=emulator.example:8080\n"),
        "emulator settings",
        SETTINGS,
        "FIRESTORE_EMULATOR_HOST",
        "Delete the line",
    ),
    Mistake(
        "faults that can be turned on",
        append(SETTINGS, "FAULTS=always\n"),
        "faults",
        SETTINGS,
        "FAULTS=always",
        "FAULTS=never",
    ),
    Mistake(
        "a secret in the settings",
        append(SETTINGS, "ACQUIRER_WEBHOOK_SECRET=correct-horse\n"),
        "secret settings",
        SETTINGS,
        "ACQUIRER_WEBHOOK_SECRET is a secret",
        "Delete the line",
    ),
    Mistake(
        "a key in the code",
        append("functions/boxoffice/acquirer.py", f'\nKEY = "{_STRIPE_KEY}"\n'),
        "credentials",
        "functions/boxoffice/acquirer.py",
        "a Stripe secret key",
        "Revoke",
    ),
    Mistake(
        "a service account that would be uploaded",
        append("functions/account.json", _SERVICE_ACCOUNT),
        "credentials",
        "functions/account.json",
        "a Google service account",
        "Secret Manager",
    ),
)

CHEAP = ("a query without its index", "a requirement without a hash", "a key in the code")
