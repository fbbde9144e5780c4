"""The commands ls, show and coverage of ./scripts/trace, and the waterfall."""

import json
import os
import re
import subprocess
from pathlib import Path
from unittest.mock import patch

import pytest

from observatory.promoted import state_of, subject_of, title_of
from observatory.terminal.waterfall import render_waterfall
from observatory.text_format import duration_text
from stack.commands import trace
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.process import run_main
from tests.unit.observatory.telemetry import ERROR, INTERNAL, SERVER, Trace, purchase

SCRIPT = Path(__file__).parents[3] / "scripts" / "trace"


def trace_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `./scripts/trace` in this process, with a terminal of 100 columns."""
    with patch.dict(os.environ, {"COLUMNS": "100"}):
        os.environ.pop("OTEL_EXPORTER_OTLP_ENDPOINT", None)
        return run_main(trace.main, arguments)


def trace_script(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `./scripts/trace` in a process of its own."""
    return subprocess.run(
        [SCRIPT, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def broken_purchase() -> Trace:
    """Return a purchase that lacks the span that sent a message, and whose issue failed."""
    trace = purchase("order-broken")
    trace.spans = [(s, span) for s, span in trace.spans if span.name != "send order-reserved"]
    issue = next(span for _, span in trace.spans if span.name == "issue")
    issue.status.code = ERROR
    issue.status.message = "too much\x1b[31m contention\non these documents"
    return trace


def test_show_accepts_a_trace_id_a_prefix_and_an_order_id(running: Running) -> None:
    """All three print the same waterfall, and exit with 0 for a complete trace."""
    trace = purchase("order-1")
    running.send(trace)
    shown = [
        trace_command("show", name, "--url", running.url)
        for name in (trace.trace_id.hex(), trace.trace_id.hex()[:9], "order-1")
    ]
    assert [run.returncode for run in shown] == [0, 0, 0]
    assert len({run.stdout for run in shown}) == 1
    assert shown[0].stdout.startswith("Order order-1: 2.29 s from click to ticketed · 6 services")
    assert "24 spans · 0 orphans · coverage 100 %" in shown[0].stdout


def test_show_exits_1_for_a_broken_trace(running: Running) -> None:
    """A trace with an orphan is still shown."""
    running.send(broken_purchase())
    shown = trace_command("show", "order-broken", "--url", running.url)
    assert shown.returncode == 1
    assert "1 orphan ·" in shown.stdout
    assert "is not stored" in shown.stdout


def test_an_unknown_name_exits_1(running: Running) -> None:
    """The error is on stderr, and stdout is empty."""
    shown = trace_script("show", "unknown", "--url", running.url)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "No trace with the id or subject unknown" in shown.stderr


def test_an_ambiguous_prefix_lists_the_traces(running: Running) -> None:
    """A prefix of two trace ids is refused, with both ids."""
    ids = [bytes.fromhex("abc" + digit * 29) for digit in "12"]
    for trace_id in ids:
        trace = Trace(trace_id=trace_id)
        trace.span("page", "buy", INTERNAL, 0, 1)
        running.send(trace)
    shown = trace_command("show", "abc", "--url", running.url)
    assert shown.returncode == 1
    assert all(trace_id.hex() in shown.stderr for trace_id in ids)


def test_without_an_observatory_commands_exit_1_and_name_the_start_command() -> None:
    """Each command also names the address that it tried."""
    for command in (["ls"], ["show", "x"], ["coverage"]):
        run = trace_command(*command, "--url", "http://127.0.0.1:9")
        assert run.returncode == 1
        assert "http://127.0.0.1:9" in run.stderr
        assert "./scripts/dev" in run.stderr


@pytest.mark.parametrize("arguments", [[], ["shwo"], ["show"], ["ls", "--limit", "0"]])
def test_bad_usage_exits_2(arguments: list[str]) -> None:
    """An unknown command or a missing argument prints the usage on stderr."""
    run = trace_command(*arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert "usage: ./scripts/trace" in run.stderr


def test_help_exits_0() -> None:
    """--help describes each command and the exit codes."""
    run = trace_command("--help")
    assert run.returncode == 0
    for word in ("ls", "show", "coverage", "Exit code"):
        assert word in run.stdout


def test_coverage_exits_0_only_if_every_span_reaches_a_root(running: Running) -> None:
    """It exits with 1 if no trace is stored, or if a span is an orphan."""
    empty = trace_command("coverage", "--url", running.url)
    assert (empty.returncode, empty.stdout.startswith("No traces yet")) == (1, True)
    running.send(purchase("order-1"))
    complete = trace_command("coverage", "--url", running.url)
    assert complete.returncode == 0
    assert complete.stdout.startswith("Coverage 100 %: 24 of 24 spans in 1 trace ")
    lines = [line.split() for line in complete.stdout.splitlines()]
    assert ["hop", "carried", "absent", "invalid", "orphans"] in lines
    assert ["pubsub", "2", "0", "0", "0"] in lines
    assert "Declared roots: page 1." in complete.stdout
    running.send(broken_purchase())
    broken = trace_command("coverage", "--url", running.url)
    assert broken.returncode == 1
    assert "; 1 orphan." in broken.stdout
    assert "order-broken" in broken.stdout


def test_json_prints_the_apis_response(running: Running) -> None:
    """With --json each command prints one JSON object on stdout."""
    trace = purchase("order-1")
    running.send(trace)
    printed = {
        command[0]: json.loads(trace_command(*command, "--json", "--url", running.url).stdout)
        for command in (["ls"], ["show", "order-1"], ["coverage"])
    }
    assert printed["ls"]["traces"][0]["trace_id"] == trace.trace_id.hex()
    assert printed["show"]["spans"] == 24
    assert printed["coverage"]["coverage"] == 1.0


def test_ls_lists_traces_and_filters_by_words(running: Running) -> None:
    """Without traces it names the command that creates one."""
    assert "./scripts/dev --buy" in trace_command("ls", "--url", running.url).stdout
    running.send(purchase("order-1"))
    running.send(purchase("order-2", decline=True))
    all_traces = trace_command("ls", "--url", running.url).stdout
    assert "order-1 · ticketed" in all_traces
    assert "order-2 · declined" in all_traces
    declined = trace_command("ls", "declined", "--url", running.url).stdout
    assert "order-1" not in declined
    assert "No trace matches 'xyz'" in trace_command("ls", "xyz", "--url", running.url).stdout


def test_the_observatory_is_found_by_the_otlp_environment_variable(running: Running) -> None:
    """OTEL_EXPORTER_OTLP_ENDPOINT, to which spans are exported, is also where they are read."""
    run = trace_script("ls", OTEL_EXPORTER_OTLP_ENDPOINT=running.url + "/")
    assert run.returncode == 0


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_the_waterfall_fits_its_width(running: Running, width: int) -> None:
    """No line is wider than the terminal, and every span has a row with a bar."""
    trace = broken_purchase()
    running.send(trace)
    journey = running.client.trace(trace.trace_id.hex())
    lines = render_waterfall(journey, width=width).splitlines()
    assert max(len(line) for line in lines) <= width
    rows = [line for line in lines[lines.index("") + 2 :] if re.search(r"\d m?s$", line)]
    assert len(rows) == journey["spans"]
    assert all(re.search("[█▏▎▍▌▋▊▉]", row) for row in rows)


def test_the_waterfall_shows_waiting_errors_and_orphans(running: Running) -> None:
    """A wait is hatched before the bar and has its own figure; errors and orphans are marked."""
    trace = broken_purchase()
    running.send(trace)
    waterfall = render_waterfall(running.client.trace(trace.trace_id.hex()), width=120)
    (reserve,) = [line for line in waterfall.splitlines() if "· trigger" in line]
    assert re.search(r"░+█+.*180 ms +232 ms$", reserve)
    assert "✗ issue" in waterfall
    assert "? charge" in waterfall
    assert "░░ waiting" in waterfall
    assert "\x1b" not in waterfall
    assert "too much·[31m contention on these documents" in waterfall


def test_colour_does_not_change_the_text(running: Running) -> None:
    """The coloured waterfall is the same text with ANSI codes."""
    trace = purchase("order-1")
    running.send(trace)
    journey = running.client.trace(trace.trace_id.hex())
    coloured = render_waterfall(journey, width=100, colour=True)
    assert "\x1b[" in coloured
    uncoloured = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    plain = render_waterfall(journey, width=100)
    assert [line.rstrip() for line in uncoloured.splitlines()] == plain.splitlines()


def test_a_span_without_duration_is_visible(running: Running) -> None:
    """A trace without duration has a mark on its row, and does not cause a division by zero."""
    trace = Trace()
    trace.span("page", "blink 漢字 " + "x" * 300, SERVER, 0, 0)
    running.send(trace)
    waterfall = render_waterfall(running.client.trace(trace.trace_id.hex()), width=80)
    assert "0 ms" in waterfall
    assert "▏" in waterfall


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (0.42, "0.42 ms"),
        (4.21, "4.2 ms"),
        (9.96, "10 ms"),
        (212.4, "212 ms"),
        (999.6, "1.00 s"),
        (3410, "3.41 s"),
        (59_996, "1 min 0 s"),
        (125_000, "2 min 5 s"),
        (7_260_000, "2 h 1 min"),
        (-5, "−5 ms"),
    ],
)
def test_durations_are_formatted_with_a_suitable_unit(milliseconds: float, text: str) -> None:
    assert duration_text(milliseconds) == text


def test_a_trace_is_titled_by_its_promoted_subject() -> None:
    """The label derives from the column's name; without a subject the title is ``Trace``."""
    trace = {"trace_id": "ab", "cart_item_id": "7", "cart_item_state": "packed", "spans": 1}
    assert subject_of(trace) == ("Cart item", "7")
    assert state_of(trace) == "packed"
    assert title_of(trace) == "Cart item 7"
    for without in ({"trace_id": "ab"}, {"trace_id": "ab", "cart_item_id": None}):
        assert subject_of(without) is None
        assert title_of(without) == "Trace"
