"""What the benches make of what they measured."""

from __future__ import annotations

import pytest

from stack.benches import bundle, coldstart
from stack.benches.ratio import p95, ratios


def chunk(
    file: str,
    *imports: str,
    size: int = 100,
    tracing: int = 0,
    facade: str = "",
    entry: bool = False,
) -> bundle.Chunk:
    """One file of a build."""
    return {
        "file": file,
        "is_entry": entry,
        "facade": facade,
        "imports": [*imports],
        "gzip_bytes": size,
        "tracing_gzip_bytes": tracing,
    }


def test_ratios_are_of_medians_and_of_95th_percentiles() -> None:
    """One outlier moves the second and not the first."""
    assert ratios([2.0] * 20, [1.0] * 20) == {"median_ratio": 2.0, "p95_ratio": 2.0}
    found = ratios([*[1.0] * 18, 3.0, 3.0], [1.0] * 20)
    assert found["median_ratio"] == 1.0
    assert found["p95_ratio"] == pytest.approx(3.0)
    assert p95([4.0]) == 4.0


def test_tracing_is_its_own_chunks_and_what_is_left_of_it_in_the_others() -> None:
    """What tracing shares with the rest of the page does not count as its own."""
    found = bundle.summary(
        [
            chunk("index", "shared", size=500, tracing=20, entry=True),
            chunk("shared", size=300, tracing=3),
            chunk("tracing", "index", "otel", size=100, tracing=95, facade=f"/x{bundle.TRACING}"),
            chunk("otel", size=70, tracing=70),
            chunk("backend", "index", size=1000, tracing=4),
        ]
    )
    assert found["tracing_gzip_bytes"] == 100 + 70 + 20 + 3 + 4
    assert found["of_it_before_first_paint_bytes"] == 20 + 3
    assert found["page_gzip_bytes"] == 1970
    assert not found["blocks_first_paint"]


def test_tracing_in_the_pages_own_chunk_blocks_its_first_paint() -> None:
    """Somebody made the import a static one: all of it is there before anything is seen."""
    found = bundle.summary([chunk("index", size=500, tracing=90, entry=True)])
    assert found["tracing_gzip_bytes"] == found["of_it_before_first_paint_bytes"] == 90
    assert found["blocks_first_paint"]


def test_a_cold_start_is_compared_with_the_same_functions_without_a_line_of_tracing() -> None:
    """The README's main.py, less the lines that name throughline."""
    traced, untraced = coldstart._main_py(), coldstart._without_throughline()
    assert "@throughline.on_message" in traced
    assert "throughline" not in untraced
    assert f"def {coldstart.TARGET}(" in untraced
