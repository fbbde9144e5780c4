"""The commands diff, sql, export, import and clear of ./scripts/trace."""

import csv
import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from observatory.import_export.pieces import pieces_of
from observatory.terminal.difference import render_difference
from observatory.terminal.sql_command import render_table
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import ERROR, INTERNAL, Trace, purchase
from tests.unit.observatory.test_trace_command import trace_command


@pytest.fixture
def two_orders(running: Running) -> Running:
    """An Observatory with one paid and one declined order."""
    running.send(purchase("order-1"))
    running.send(purchase("order-2", decline=True))
    return running


def test_diff_shows_the_steps_of_both_traces(two_orders: Running) -> None:
    """Missing steps are marked, and a sentence summarises the difference."""
    shown = trace_command("diff", "order-1", "order-2", "--url", two_orders.url)
    assert shown.returncode == 0, shown.stderr
    assert "left   Order order-1: 2.29 s from click to ticketed · 24 spans" in shown.stdout
    text = " ".join(shown.stdout.split())
    assert "The right one lacks order paid of page and send order-paid of settle" in text
    marked = [line for line in shown.stdout.splitlines()[:-1] if line.startswith("−")]
    assert [line.split()[1] for line in marked] == ["page:", "settle:", "issue", "issue:", "page:"]
    assert all(line.endswith("missing") for line in marked)
    as_json = trace_command("diff", "order-1", "order-2", "--json", "--url", two_orders.url)
    assert json.loads(as_json.stdout)["left"]["order_id"] == "order-1"
    unknown = trace_command("diff", "order-1", "unknown", "--url", two_orders.url)
    assert (unknown.returncode, unknown.stdout) == (1, "")


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_diff_fits_its_width(running: Running, width: int) -> None:
    """No line is wider than the terminal, and colour does not change the text."""
    left, right = purchase("order-1"), purchase("order-2")
    issue = next(span for _, span in right.spans if span.name == "issue")
    issue.name += " 漢字\x1b[31m" * 20
    issue.status.code = ERROR
    running.send(left)
    running.send(right)
    diff = running.client.diff(left.trace_id.hex(), right.trace_id.hex())
    plain = render_difference(diff, width=width)
    assert max(len(line) for line in plain.splitlines()) <= width
    assert "\x1b" not in plain
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", render_difference(diff, width=width, colour=True))
    assert [line.rstrip() for line in coloured.splitlines()] == plain.splitlines()
    same = running.client.diff(left.trace_id.hex(), left.trace_id.hex())
    assert "Every step is in both" in render_difference(same)


def test_sql_prints_a_table_json_or_csv(two_orders: Running) -> None:
    """Each format is printed alone on stdout."""
    query = "select order_id, duration_ms, hops from traces order by order_id"
    table = trace_command("sql", query, "--url", two_orders.url)
    assert table.stdout.splitlines()[1].split()[:2] == ["order-1", "2330.0"]
    result = json.loads(trace_command("sql", query, "--json", "--url", two_orders.url).stdout)
    assert [row[0] for row in result["rows"]] == ["order-1", "order-2"]
    printed = trace_command("sql", query, "--csv", "--url", two_orders.url).stdout
    rows = list(csv.reader(io.StringIO(printed)))
    assert rows[0] == ["order_id", "duration_ms", "hops"]
    assert json.loads(rows[1][2]) == result["rows"][0][2]
    limited = trace_command("sql", query, "--limit", "1", "--url", two_orders.url)
    assert (len(limited.stdout.splitlines()), "cut after 1 row" in limited.stderr) == (2, True)


def test_sql_prints_errors_and_the_schema(two_orders: Running) -> None:
    """DuckDB's error goes to stderr with exit code 1; --schema lists the views and examples."""
    wrong = trace_command("sql", "select colour from spans", "--url", two_orders.url)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert 'trace: Binder Error: Referenced column "colour"' in wrong.stderr
    write = trace_command("sql", "delete from raw_spans", "--url", two_orders.url)
    assert (write.returncode, "DELETE is not allowed" in write.stderr) == (1, True)
    schema = trace_command("sql", "--schema", "--url", two_orders.url).stdout
    assert "hops: One row for each received hop" in schema
    assert "Which orders took longest?" in schema


def test_a_table_is_cut_at_the_terminals_width() -> None:
    """In a terminal, long cells and lines are cut, and control characters are replaced."""
    columns = [{"name": "a", "type": "VARCHAR"}, {"name": "n", "type": "INTEGER"}]
    result: Any = {
        "columns": columns,
        "rows": [["x" * 500, 1], ["\x1b[31m\n", None], ["漢字", 22]],
        "truncated": False,
        "elapsed_ms": 1.0,
    }
    lines = list(render_table(result, width=60))
    assert max(map(len, lines)) <= 60
    assert lines[0].split() == ["a", "n"]
    assert lines[2].startswith("·[31m·")
    assert lines[-1] == "(3 rows, 1 ms)"
    uncut = list(render_table(result, width=None))
    assert "x" * 500 in uncut[1]


def test_exported_traces_can_be_imported_after_a_clear(two_orders: Running, tmp_path: Path) -> None:
    """Exported are one trace, a selection, and everything; gzipped files can be imported."""
    everything = trace_command("export", "--all", "--url", two_orders.url)
    assert everything.returncode == 0, everything.stderr
    declined = trace_command("export", "--filter", "state = declined", "--url", two_orders.url)
    one = trace_command("export", "order-2", "--url", two_orders.url)
    assert json.loads(declined.stdout) == json.loads(one.stdout)
    file = tmp_path / "all.json"
    file.write_text(everything.stdout)
    unconfirmed = trace_command("clear", "--url", two_orders.url)
    assert (unconfirmed.returncode, "confirm with --yes" in unconfirmed.stderr) == (2, True)
    cleared = trace_command("clear", "--yes", "--url", two_orders.url)
    assert cleared.stdout == "Deleted 44 spans, 5 logs and 0 metric points.\n"
    assert two_orders.client.health()["spans"] == 0
    import_run = trace_command("import", str(file), "--url", two_orders.url)
    assert import_run.returncode == 0, import_run.stderr
    assert import_run.stdout.startswith("Stored 44 spans, 5 logs and 0 metric points.\n")
    file.write_text(one.stdout + declined.stdout)
    two_lines_import = trace_command("import", str(file), "--url", two_orders.url)
    assert two_lines_import.returncode == 0, two_lines_import.stderr
    file.write_bytes(gzip.compress(one.stdout.encode()))
    gzipped_import = trace_command("import", str(file), "--json", "--url", two_orders.url)
    assert json.loads(gzipped_import.stdout)["spans"] == 20
    assert two_orders.client.find("order-2")["spans"] == 20


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "it is not an object"),
        ('{"data": [{"spans": 3}]}', "data[0].spans is 3: it must be a list"),
        ('{"traces": []}', "neither OTLP/JSON"),
    ],
)
def test_an_invalid_file_exits_1_and_names_the_path(
    running: Running, tmp_path: Path, content: str, message: str
) -> None:
    """The error is on stderr; so is that of a missing file."""
    file = tmp_path / "bad.json"
    file.write_text(content)
    import_run = trace_command("import", str(file), "--url", running.url)
    assert (import_run.returncode, import_run.stdout) == (1, "")
    assert message in import_run.stderr
    missing = trace_command("import", str(tmp_path / "none.json"), "--url", running.url)
    assert (missing.returncode, "cannot be read" in missing.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["export"],
        ["export", "id", "--all"],
        ["import"],
        ["sql"],
        ["sql", "select 1", "--limit", "0"],
        ["diff", "one"],
        ["clear"],
    ],
)
def test_bad_usage_of_the_file_commands_exits_2(arguments: list[str]) -> None:
    """The usage is printed before any request is sent."""
    run = trace_command(*arguments, "--url", "http://127.0.0.1:9")
    assert (run.returncode, run.stdout) == (2, "")
    assert "usage: ./scripts/trace" in run.stderr


def test_a_large_file_is_sent_in_pieces(running: Running) -> None:
    """The pieces are below the limit, and together have the contents of the file."""
    trace = Trace()
    for number in range(300):
        trace.span("page", f"step {number}", INTERNAL, number, number + 1)
    trace.log("page", trace.spans[0][1], 1, "INFO", "x" * 50)
    running.send(trace)
    document = json.loads(b"".join(running.client.export([trace.trace_id.hex()])))
    pieces = list(pieces_of(document, limit_bytes=10_000))
    assert len(pieces) > 5
    assert max(len(json.dumps(piece)) for piece in pieces) < 12_000
    names = [
        span["name"]
        for piece in pieces
        for group in piece.get("resourceSpans", ())
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    ]
    assert sorted(names) == sorted(span.name for _, span in trace.spans)
    assert sum("resourceLogs" in piece for piece in pieces) == 1
    jaeger = {"data": [{"traceID": str(n), "spans": ["x" * 100]} for n in range(10)]}
    assert [len(piece["data"]) for piece in pieces_of(jaeger, limit_bytes=500)] == [3, 3, 3, 1]
    odd = {"resourceSpans": [{"scopeSpans": "x" * 100}]}
    assert list(pieces_of(odd, limit_bytes=10)) == [odd]
