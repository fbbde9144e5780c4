"""Measures the share of tracing code in the page, in bytes of gzip, from a build's chunks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, TypedDict

from stack import paths
from stack.errors import UserError
from stack.setup import toolchain

TRACING = "/src/tracing/index.ts"


class Chunk(TypedDict):
    """A chunk of the build, as bundle.mjs prints it; `facade` is its entry module."""

    file: str
    is_entry: bool
    facade: str
    imports: list[str]
    gzip_bytes: int
    tracing_gzip_bytes: int


def measure(_runs: int) -> dict[str, Any]:
    """Build the page once, because all builds are the same, and return the figures."""
    script = Path(__file__).with_name("bundle.mjs")
    done = subprocess.run(
        [str(toolchain.node()), str(script), str(paths.ROOT / "frontend")],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"The build of the page failed: {done.stderr.strip()[-300:]}")
    return summary(json.loads(done.stdout))


def summary(chunks: list[Chunk]) -> dict[str, Any]:
    """Return the figures of the chunks, in bytes of gzip.

    Chunks that only tracing loads count completely. Of the others, the page's tracing code and
    OpenTelemetry count, minified and compressed separately.
    """
    by_file = {chunk["file"]: chunk for chunk in chunks}
    first = _loaded_by([chunk["file"] for chunk in chunks if chunk["is_entry"]], by_file)
    of_tracing = [chunk["file"] for chunk in chunks if chunk["facade"].endswith(TRACING)]
    alone = _loaded_by(of_tracing, by_file) - first
    shared = [chunk for chunk in chunks if chunk["file"] not in alone]
    elsewhere = sum(chunk["tracing_gzip_bytes"] for chunk in shared)
    tracing = sum(by_file[file]["gzip_bytes"] for file in alone) + elsewhere
    everything = sum(chunk["gzip_bytes"] for chunk in chunks)
    return {
        "n": 1,
        "tracing_gzip_bytes": tracing,
        "of_it_before_first_paint_bytes": sum(by_file[f]["tracing_gzip_bytes"] for f in first),
        "page_gzip_bytes": everything,
        "ratio": round(tracing / (everything - tracing), 3),
        "blocks_first_paint": not alone,
    }


def _loaded_by(files: list[str], by_file: dict[str, Chunk]) -> set[str]:
    """Return `files` and all their static imports."""
    loaded: set[str] = set()
    pending = list(files)
    while pending:
        file = pending.pop()
        if file not in loaded:
            loaded.add(file)
            pending += by_file[file]["imports"]
    return loaded
