"""Tests of the figures of `bench acknowledgement`."""

from pathlib import Path

from benchmarks import acknowledgement
from observatory.receive.spans import spans_of
from observatory.receive.validity import all_spans_valid


def test_each_part_is_measured_for_each_request(tmp_path: Path) -> None:
    """The warm-up is not part of the figures."""
    bodies = acknowledgement.requests(acknowledgement.WARM_UP_REQUESTS + 2)
    figures = acknowledgement.figures(acknowledgement.parts(bodies, tmp_path / "parts.duckdb"))
    assert figures.pop("n") == 2
    assert figures.keys() == {
        f"{part}_{percentile}_ms"
        for part in ("check", "journal", "decode", "commit")
        for percentile in ("p50", "p95")
    }
    assert all(figures[f"{part}_p50_ms"] > 0 for part in ("check", "decode", "commit"))


def test_a_request_with_an_invalid_link_is_not_journaled() -> None:
    """So its acknowledgement waits for the commit of its span."""
    (body,) = acknowledgement.requests(1)
    other = acknowledgement.with_invalid_link(body)
    assert (all_spans_valid(body), all_spans_valid(other)) == (True, False)
    assert spans_of(other).rows.table.num_rows == 1
