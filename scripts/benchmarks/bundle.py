"""How much of the page is tracing, as it is sent: gzip, from a build's graph of chunks."""

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
    """One file of the build, as bundle.mjs describes it; `facade` is the module it was made for."""

    file: str
    is_entry: bool
    facade: str
    imports: list[str]
    gzip_bytes: int
    tracing_gzip_bytes: int


def measure(_runs: int) -> dict[str, Any]:
    """Build once: a build is the same every time."""
    script = Path(__file__).with_name("bundle.mjs")
    done = subprocess.run(
        [str(toolchain.node()), str(script), str(paths.ROOT / "frontend")],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"The page can't be built: {done.stderr.strip()[-300:]}")
    return summary(json.loads(done.stdout))


def summary(chunks: list[Chunk]) -> dict[str, Any]:
    """What the chunks amount to, in bytes of gzip.

    Chunks that only tracing loads count whole. Of the others, what is in them of the page's tracing
    code and of OpenTelemetry counts, minified and packed by itself.
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
    """`files` and all that they import before they run."""
    found: set[str] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += by_file[file]["imports"]
    return found
