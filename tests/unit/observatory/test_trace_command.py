"""./scripts/trace and the waterfall it prints."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from observatory.promoted import state_of, subject_of, title_of
from observatory.terminal.waterfall import render_waterfall
from observatory.text_format import duration_text
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import ERROR, INTERNAL, SERVER, Trace, purchase

SCRIPT = Path(__file__).parents[3] / "scripts" / "trace"


def trace_command(*arguments: str, columns: int = 100) -> subprocess.CompletedProcess[str]:
    """Run the script with the Python that runs the tests, as a person would."""
    environment = os.environ | {"COLUMNS": str(columns)}
    environment.pop("OTEL_EXPORTER_OTLP_ENDPOINT", None)
    return subprocess.run(
        [SCRIPT, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def broken_purchase() -> Trace:
    """A purchase whose message to charge was sent without context, and whose issue failed."""
    trace = purchase("order-broken")
    trace.spans = [(s, span) for s, span in trace.spans if span.name != "send order-reserved"]
    issue = next(span for _, span in trace.spans if span.name == "issue")
    issue.status.code = ERROR
    issue.status.message = "too much\x1b[31m contention\non these documents"
    return trace


def test_show_takes_a_trace_id_a_prefix_and_an_order_id(running: Running) -> None:
    """The three ways to name a trace print the same waterfall, and exit 0 when it is whole."""
    trace = purchase("order-1")
    running.send(trace)
    shown = [
        trace_command("show", name, "--url", running.url)
        for name in (trace.trace_id.hex(), trace.trace_id.hex()[:9], "order-1")
    ]
    assert [run.returncode for run in shown] == [0, 0, 0]
    assert len({run.stdout for run in shown}) == 1
    assert shown[0].stdout.startswith("Order order-1: 2.33 s from click to ticketed · 6 services")
    assert "24 spans · 0 orphans · coverage 100 %" in shown[0].stdout


def test_show_exits_1_for_a_broken_trace(running: Running) -> None:
    """A trace with an orphan is shown, and the exit code says that it doesn't hold."""
    running.send(broken_purchase())
    shown = trace_command("show", "order-broken", "--url", running.url)
    assert shown.returncode == 1
    assert "1 orphan ·" in shown.stdout
    assert "is not stored" in shown.stdout


def test_what_is_not_there_exits_1_and_says_so(running: Running) -> None:
    """An unknown name is an error on stderr, with nothing on stdout."""
    shown = trace_command("show", "unknown", "--url", running.url)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "No trace with the id or subject unknown" in shown.stderr


def test_an_ambiguous_prefix_names_the_traces(running: Running) -> None:
    """A prefix that fits two traces is refused, with both ids."""
    ids = [bytes.fromhex("abc" + digit * 29) for digit in "12"]
    for trace_id in ids:
        trace = Trace(trace_id=trace_id)
        trace.span("page", "buy", INTERNAL, 0, 1)
        running.send(trace)
    shown = trace_command("show", "abc", "--url", running.url)
    assert shown.returncode == 1
    assert all(trace_id.hex() in shown.stderr for trace_id in ids)


def test_nothing_running_exits_1_and_says_how_to_start() -> None:
    """Without an Observatory each command names the address and ./scripts/dev."""
    for command in (["ls"], ["show", "x"], ["coverage"]):
        run = trace_command(*command, "--url", "http://127.0.0.1:9")
        assert run.returncode == 1
        assert "http://127.0.0.1:9" in run.stderr
        assert "./scripts/dev" in run.stderr


@pytest.mark.parametrize("arguments", [[], ["shwo"], ["show"], ["ls", "--limit", "0"]])
def test_bad_usage_exits_2(arguments: list[str]) -> None:
    """A command that isn't one, or lacks something, exits 2 with the usage on stderr."""
    run = trace_command(*arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert "usage: ./scripts/trace" in run.stderr


def test_help_exits_0() -> None:
    """--help describes each command and the exit codes."""
    run = trace_command("--help")
    assert run.returncode == 0
    for word in ("ls", "show", "coverage", "Exit code"):
        assert word in run.stdout


def test_coverage_exits_by_what_it_finds(running: Running) -> None:
    """Coverage holds when every span leads to a root; with none stored, or one lost, it doesn't."""
    empty = trace_command("coverage", "--url", running.url)
    assert (empty.returncode, empty.stdout.startswith("No traces yet")) == (1, True)
    running.send(purchase("order-1"))
    whole = trace_command("coverage", "--url", running.url)
    assert whole.returncode == 0
    assert whole.stdout.startswith("Coverage 100 %: 24 of 24 spans in 1 trace ")
    lines = [line.split() for line in whole.stdout.splitlines()]
    assert ["hop", "carried", "absent", "invalid", "orphans"] in lines
    assert ["pubsub", "2", "0", "0", "0"] in lines
    assert "Declared roots: page 1." in whole.stdout
    running.send(broken_purchase())
    broken = trace_command("coverage", "--url", running.url)
    assert broken.returncode == 1
    assert "; 1 orphan." in broken.stdout
    assert "order-broken" in broken.stdout


def test_json_is_one_object_on_stdout(running: Running) -> None:
    """With --json each command prints one object that is what the API answers."""
    trace = purchase("order-1")
    running.send(trace)
    printed = {
        command[0]: json.loads(trace_command(*command, "--json", "--url", running.url).stdout)
        for command in (["ls"], ["show", "order-1"], ["coverage"])
    }
    assert printed["ls"]["traces"][0]["trace_id"] == trace.trace_id.hex()
    assert printed["show"]["spans"] == 24
    assert printed["coverage"]["coverage"] == 1.0


def test_ls_lists_the_newest_and_filters(running: Running) -> None:
    """ls prints a line for each trace; words narrow it; the empty list says how to make one."""
    assert "./scripts/dev --buy" in trace_command("ls", "--url", running.url).stdout
    running.send(purchase("order-1"))
    running.send(purchase("order-2", decline=True))
    every = trace_command("ls", "--url", running.url).stdout
    assert "order-1 · ticketed" in every
    assert "order-2 · declined" in every
    some = trace_command("ls", "declined", "--url", running.url).stdout
    assert "order-1" not in some
    assert "No trace matches 'xyz'" in trace_command("ls", "xyz", "--url", running.url).stdout


def test_the_environment_names_the_observatory(running: Running) -> None:
    """Where spans are sent, OTEL_EXPORTER_OTLP_ENDPOINT, is where they are read."""
    run = subprocess.run(
        [SCRIPT, "ls"],
        env=os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": running.url + "/"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 0


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_the_waterfall_fits_its_width(running: Running, width: int) -> None:
    """No line is wider than the terminal, and every span has a line with a bar."""
    trace = broken_purchase()
    running.send(trace)
    journey = running.client.trace(trace.trace_id.hex())
    lines = render_waterfall(journey, width=width).splitlines()
    assert max(len(line) for line in lines) <= width
    rows = [line for line in lines[lines.index("") + 2 :] if re.search(r"\d m?s$", line)]
    assert len(rows) == journey["spans"]
    assert all(re.search("[█▏▎▍▌▋▊▉]", row) for row in rows)


def test_the_waterfall_shows_waiting_errors_and_orphans(running: Running) -> None:
    """A wait is hatched before its bar and given in figures; trouble is marked and explained."""
    trace = broken_purchase()
    running.send(trace)
    drawn = render_waterfall(running.client.trace(trace.trace_id.hex()), width=120)
    (reserve,) = [line for line in drawn.splitlines() if "· trigger" in line]
    assert re.search(r"░+█+.*180 ms +232 ms$", reserve)
    assert "✗ issue" in drawn
    assert "? charge" in drawn
    assert "░░ waiting" in drawn
    assert "\x1b" not in drawn
    assert "too much·[31m contention on these documents" in drawn


def test_colour_is_only_added(running: Running) -> None:
    """In colour the waterfall is the same text with ANSI colours around it."""
    trace = purchase("order-1")
    running.send(trace)
    journey = running.client.trace(trace.trace_id.hex())
    coloured = render_waterfall(journey, width=100, colour=True)
    assert "\x1b[" in coloured
    uncoloured = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    plain = render_waterfall(journey, width=100)
    assert [line.rstrip() for line in uncoloured.splitlines()] == plain.splitlines()


def test_a_span_without_duration_is_still_seen(running: Running) -> None:
    """A trace of one instant has a mark on its row, and doesn't divide by zero."""
    trace = Trace()
    trace.span("page", "blink 漢字 " + "x" * 300, SERVER, 0, 0)
    running.send(trace)
    drawn = render_waterfall(running.client.trace(trace.trace_id.hex()), width=80)
    assert "0 ms" in drawn
    assert "▏" in drawn


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
def test_durations_read_well(milliseconds: float, text: str) -> None:
    """A duration has two or three digits and the unit that suits it."""
    assert duration_text(milliseconds) == text


def test_a_trace_is_called_after_what_the_configuration_promotes() -> None:
    """By the names of the columns; without a subject it is a trace."""
    trace = {"trace_id": "ab", "cart_item_id": "7", "cart_item_state": "packed", "spans": 1}
    assert subject_of(trace) == ("Cart item", "7")
    assert state_of(trace) == "packed"
    assert title_of(trace) == "Cart item 7"
    for without in ({"trace_id": "ab"}, {"trace_id": "ab", "cart_item_id": None}):
        assert subject_of(without) is None
        assert title_of(without) == "Trace"
