"""Checks of firebase.json: its schema, Hosting's rewrites and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stack.deploy import manifest
from stack.deploy.finding import Finding
from stack.deploy.tree import Tree

FILE = "firebase.json"

# Header, and what its value must contain. All of them apply to every path.
REQUIRED_HEADERS = {
    "x-content-type-options": ("nosniff", "so that browsers do not guess a file's type"),
    "referrer-policy": ("origin", "so that addresses of orders do not reach other sites"),
    "content-security-policy": (
        "frame-ancestors 'none'",
        "so that no other site can show the page in a frame",
    ),
}
ASSETS, PAGES = "/assets/**", "**"


def matches_the_schema(tree: Tree) -> Iterator[Finding]:
    """Yield what firebase-tools' own schema refuses in firebase.json."""
    try:
        tree.firebase_json()
    except ValueError as error:
        yield Finding(
            f"firebase.json is not JSON: {error}",
            FILE,
            "Correct the syntax at that line.",
            getattr(error, "lineno", None),
        )
        return
    answer = manifest.discover(tree)
    for key, messages in _by_key(answer.schema).items():
        name = key.rpartition("/")[2]
        yield Finding(
            f"{key.replace('/', ' › ').strip(' ›') or 'The file'} {' or '.join(messages)}.",
            FILE,
            "Correct the name or the value; node_modules/firebase-tools/schema/"
            "firebase-config.json is the schema.",
            tree.line_of(FILE, rf'"{re.escape(name)}"') if name else None,
        )
    if answer.error:
        yield Finding(f"firebase-tools refuses it: {answer.error}", FILE, "Correct `functions`.")


def _by_key(errors: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the schema's messages by the place that they are about.

    Alternatives of the schema that do not apply produce errors as well, so the most specific errors
    are those of unknown properties, if there are any.
    """
    unknown = [error for error in errors if error["keyword"] == "additionalProperties"]
    if unknown:
        deepest = max(error["at"].count("/") for error in unknown)
        return {
            f"{error['at']}/{error['params']['additionalProperty']}": ["is not a known setting"]
            for error in unknown
            if error["at"].count("/") == deepest
        }
    plain = [error for error in errors if error["keyword"] not in ("anyOf", "oneOf", "not")]
    by_key: dict[str, list[str]] = {}
    for error in plain or errors:
        messages = by_key.setdefault(error["at"], [])
        if error["message"] not in messages:
            messages.append(error["message"])
    return by_key


def rewrites_name_functions(tree: Tree) -> Iterator[Finding]:
    """Yield the rewrites to a function that is not deployed, or to another region than its own."""
    functions = {each["id"]: each for each in manifest.discover(tree).functions()}
    for rewrite in tree.firebase_json().get("hosting", {}).get("rewrites", []):
        target = rewrite.get("function")
        if target is None:
            continue
        name = target if isinstance(target, str) else target.get("functionId", "")
        source = rewrite.get("source") or rewrite.get("glob") or rewrite.get("regex")
        line = tree.line_of(FILE, rf'"{re.escape(str(source))}"')
        if name not in functions:
            yield Finding(
                f"The rewrite of {source} names the function {name}, which does not exist.",
                FILE,
                f"Name one of: {', '.join(functions)}.",
                line,
            )
            continue
        # Without a region, firebase-tools takes that of the function.
        region = None if isinstance(target, str) else target.get("region")
        actual = functions[name].get("region")
        if region and actual not in (manifest.NO_REGION, region):
            yield Finding(
                f"The rewrite of {source} names {name} in {region}, but it is deployed to "
                f"{actual}.",
                FILE,
                f'Delete "region" from the rewrite, or set it to "{actual}".',
                line,
            )
        if "httpsTrigger" not in functions[name] and "callableTrigger" not in functions[name]:
            yield Finding(
                f"The rewrite of {source} names {name}, which HTTP requests do not start.",
                FILE,
                "Name a function with an HTTPS trigger.",
                line,
            )


def hosting_sends_headers(tree: Tree) -> Iterator[Finding]:
    """Yield the security and cache headers that Hosting would not send."""
    hosting = tree.firebase_json().get("hosting", {})
    line = tree.line_of(FILE, r'"headers"') or tree.line_of(FILE, r'"hosting"')
    for name, (needed, reason) in REQUIRED_HEADERS.items():
        if needed not in _headers(hosting, PAGES).get(name, ""):
            yield Finding(
                f"Hosting does not send {name} with {needed!r} for every path, {reason}.",
                FILE,
                f'Add it to the entry of hosting.headers whose source is "{PAGES}".',
                line,
            )
    if "immutable" not in _headers(hosting, ASSETS).get("cache-control", ""):
        yield Finding(
            f"Hosting does not let browsers cache {ASSETS}, whose names change with their content.",
            FILE,
            'Add "Cache-Control": "public, max-age=31536000, immutable" for that source.',
            line,
        )
    if "no-cache" not in _headers(hosting, PAGES).get("cache-control", ""):
        yield Finding(
            "Hosting lets browsers keep the pages for an hour, so they would load files of the "
            "last deployment.",
            FILE,
            f'Add "Cache-Control": "no-cache" for the source "{PAGES}".',
            line,
        )


def _headers(hosting: dict[str, Any], source: str) -> dict[str, str]:
    """Return the headers of the entries for exactly this source, with names in lower case."""
    return {
        header["key"].lower(): header["value"]
        for entry in hosting.get("headers", [])
        if entry.get("source") == source
        for header in entry["headers"]
    }
