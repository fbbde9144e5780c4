"""Queries over many traces: filters, pages, the heatmap, contrasts, suggestions, the map."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from observatory.compare.filter import Comparison, Value, render
from observatory.compare.snapshot import shared_snapshot
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import (
    CLIENT,
    CONSUMER,
    ERROR,
    INTERNAL,
    MS,
    PRODUCER,
    SERVER,
    Trace,
    purchase,
)

BEGAN = 1_790_000_000 * 10**9


def single_span_trace(
    name: str, at_ms: float = 0, duration_ms: float = 5, **attributes: Any
) -> Trace:
    """Return a trace with a single root span."""
    trace = Trace(began_unix_nano=BEGAN + round(at_ms * MS))
    trace.span("page", name, INTERNAL, 0, duration_ms, throughline__root="page", **attributes)
    return trace


def send_all(running: Running, traces: list[Trace]) -> None:
    """Export many traces in one request."""
    export = Trace()
    for trace in traces:
        export.spans += trace.spans
    running.send(export)


def matching_roots(running: Running, q: str, **parameters: Any) -> set[str]:
    """Return the root names of the traces that match."""
    page = get(running, "/api/traces", q=q, limit=500, **parameters)
    assert page["total"] == len(page["traces"])
    return {line["root"] for line in page["traces"]}


def get(running: Running, path: str, **parameters: Any) -> Any:
    """Return the JSON of a successful response."""
    response = running.http.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def sentence_of(contrast: dict[str, Any]) -> str:
    return "".join(part["text"] for part in contrast["sentence"])


def test_a_trace_matches_a_comparison_when_one_of_its_spans_does(running: Running) -> None:
    """Different spans may match different comparisons. A negation matches when no span does."""
    both = single_span_trace("both", seats=2, show__id="night-ferry", ratio=0.5)
    both.span("charge", "charge", CLIENT, 1, 900, both.spans[0][1], error="no", seats=7, duration=9)
    neither = single_span_trace("neither", seats=4, colour="2")
    neither.spans[0][1].attributes.add(key="service").value.string_value = "mine"
    send_all(running, [both, neither])
    everything = {"both", "neither"}
    for q, expected in {
        "seats = 2 and seats = 7": {"both"},
        "seats = 2.0": {"both"},
        "seats > 4": {"both"},
        "seats >= 2 and seats < 3": {"both"},
        "seats != 2": {"neither"},
        "not seats < 5": set(),
        "not (seats = 2 or seats = 4)": set(),
        "show.id exists": {"both"},
        "show.id != night-ferry": {"neither"},
        "show.id ~ FERRY": {"both"},
        "show.id !~ ferry": {"neither"},
        "ratio < 1": {"both"},
        'colour = "2"': {"neither"},
        "colour > 1": {"neither"},
        "service = charge": {"both"},
        "service.name = charge": {"both"},
        "service.version = 0.1.0": everything,
        "attribute.service = mine": {"neither"},
        "attribute.duration = 9": {"both"},
        "duration > 0.5 s": {"both"},
        "duration <= 5": {"neither"},
        "span.duration > 890ms and span.duration < 900 ms": {"both"},
        "error = true": {"both"},
        "error != true": {"neither"},
        "errors = 1 or spans = 1": everything,
        "error.service = charge": {"both"},
        "kind = client": {"both"},
        "status = error": {"both"},
        "declared_root = page and throughline.root exists": everything,
        "root = both": {"both"},
        "root ~ NEITH and root exists": {"neither"},
        "root != both": {"neither"},
        "name = both": {"both"},
        f"trace = {both.trace_id.hex().upper()}": {"both"},
        f"trace ~ {both.trace_id.hex()[4:20]}": {"both"},
        "BOTH charge": {"both"},
        "ferry": {"both"},
        "0.5": {"both"},
        "MINE": {"neither"},
        "0.1.0": everything,
        "both neither": set(),
        "nothing = here": set(),
        "nothing exists": set(),
        "nothing != here": everything,
        "attempts exists": set(),
        "wait.charge exists": set(),
    }.items():
        assert matching_roots(running, q) == expected, q


def test_filters_match_waits_attempts_and_missing_hops(running: Running) -> None:
    """Waits are those of the journey; a hop is missing when most other traces have it."""
    traces = [purchase(f"order-{n}", BEGAN + n * 10**9) for n in range(8)]
    traces.append(purchase("order-8", BEGAN + 8 * 10**9, decline=True))
    reserve = traces[0].spans[4][1]
    reserve.attributes.add(key="throughline.delivery.attempt").value.int_value = 3
    send_all(running, traces)

    def orders(q: str) -> set[str | None]:
        return {line["order_id"] for line in get(running, "/api/traces", q=q)["traces"]}

    all_orders = {f"order-{n}" for n in range(9)}
    journey = running.client.trace(traces[3].trace_id.hex())
    waits = {row["service"]: row["wait"]["duration_ms"] for row in journey["rows"] if row["wait"]}
    assert waits["reserve"] == 180
    assert orders("wait.reserve = 180ms") == all_orders
    assert orders("wait.reserve > 180 ms or wait.reserve < 0.18 s") == set()
    assert orders("wait.pubsub >= 90") == all_orders - {"order-8"}
    assert orders("not wait.issue exists") == {"order-8"}
    assert orders("attempts > 2") == {"order-0"}
    contrast = get(running, "/api/compare", **{"in": "order = order-0"})
    keys = {attribute["key"] for attribute in contrast["attributes"]}
    assert "attempts" in keys
    assert "throughline.delivery.attempt" not in keys  # attempts is derived from it
    for q in ("missing_hop exists", "missing_hop = issue", 'missing_hop = "pubsub → issue"'):
        assert orders(q) == {"order-8"}, q
    assert orders("missing_hop = trigger") == set()
    assert orders("missing_hop != issue") == all_orders - {"order-8"}


HOSTILE = [
    "'; drop table raw_spans; --",
    '"\\" = "x',
    "$p0",
    "{}",
    "%",
    "a and b",
    "\n\t",
    "<script>",
    "❄ ünï",
    "x" * 3000,
    "",
    "nan",
    "1e999",
]


def test_hostile_keys_and_values_are_treated_as_text(running: Running) -> None:
    """A filter matches any key and value literally."""
    send_all(running, [single_span_trace(f"t{n}", odd=text) for n, text in enumerate(HOSTILE)])
    for n, text in enumerate(HOSTILE):
        assert matching_roots(running, render(Comparison("odd", "=", Value(text)))) == {f"t{n}"}
    trace = single_span_trace("odd keys")
    for n, text in enumerate(HOSTILE[:-1]):
        trace.spans[0][1].attributes.add(key=text).value.string_value = f"v{n}"
    running.send(trace)
    for n, text in enumerate(HOSTILE[:-1]):
        if text:
            q = render(Comparison(text, "=", Value(f"v{n}")))
            if len(q) < 4000:
                assert matching_roots(running, q) == {"odd keys"}
    values = get(running, "/api/values", key="odd", prefix="<")["values"]
    assert values == [{"value": "<script>", "count": 1}]
    assert get(running, "/api/keys", prefix="'; drop")["keys"][0]["key"] == HOSTILE[0]
    get(running, "/api/compare", **{"in": 'odd = "%"'})


def test_an_invalid_filter_is_answered_with_its_position(running: Running) -> None:
    """Every path with a filter answers 400 with the code bad_filter and the position."""
    for path in ("/api/traces", "/api/heatmap", "/api/compare", "/api/map"):
        response = running.http.get(path, params={"q": "duration >"})
        assert response.status_code == 400
        error = response.json()["error"]
        assert (error["code"], error["position"]) == ("bad_filter", 10)
    response = running.http.get("/api/compare", params={"in": "(a"})
    assert response.json()["error"]["code"] == "bad_filter"
    for query in ("from=x", "last=-1", "last=5&from=3", "sort=size", "order=up", "cursor=1"):
        response = running.http.get(f"/api/traces?{query}")
        assert response.status_code == 400, query
        assert response.json()["error"]["code"] == "bad_request", query


def test_pages_have_every_trace_once(running: Running) -> None:
    """This holds for every sort key and order, even with many equal values."""
    send_all(
        running,
        [single_span_trace(f"t{n}", at_ms=n // 3, duration_ms=1 + n % 2) for n in range(20)],
    )
    for sort in ("start", "duration", "spans", "errors"):
        for order in ("desc", "asc"):
            listed: list[dict[str, Any]] = []
            cursor: str | None = ""
            while cursor is not None:
                page = get(running, "/api/traces", limit=7, sort=sort, order=order, cursor=cursor)
                assert page["total"] == 20
                listed += page["traces"]
                cursor = page["next_cursor"]
            assert len({line["trace_id"] for line in listed}) == len(listed) == 20
            key = {"start": "started_unix_nano", "duration": "duration_ms"}.get(sort, sort)
            values = [line[key] for line in listed]
            assert values == sorted(values, reverse=order == "desc")


def test_a_time_range_is_half_open(running: Running) -> None:
    """It includes `from` and excludes `to`; `last` counts back from now."""
    send_all(running, [single_span_trace(f"t{n}", at_ms=n * 1000) for n in range(4)])
    began = BEGAN // MS
    assert matching_roots(running, "", **{"from": began + 1000, "to": began + 3000}) == {"t1", "t2"}
    assert matching_roots(running, "", **{"from": began + 9000}) == set()
    assert matching_roots(running, "", last=60) == set()
    now = Trace(began_unix_nano=time.time_ns())
    now.span("page", "now", INTERNAL, 0, 1)
    running.send(now)
    assert matching_roots(running, "", last=60) == {"now"}
    assert "etag" not in running.http.get("/api/traces?last=60").headers


def test_late_spans_update_the_digest_of_their_trace(running: Running) -> None:
    """A late parent completes an orphan's trace; a span that is exported twice counts once."""
    trace = purchase("order-1", BEGAN)
    running.send(trace, "charge")
    (line,) = get(running, "/api/traces")["traces"]
    assert (line["orphans"], line["spans"], line["root"]) == (1, 3, "charge")
    assert matching_roots(running, "uncovered = 3") == {"charge"}
    assert get(running, "/api/traces", q="wait.charge exists")["total"] == 0
    running.send(trace, "charge")
    running.send(trace, *{service for service, _ in trace.spans} - {"charge"})
    (line,) = get(running, "/api/traces", q="wait.charge = 60")["traces"]
    assert (line["orphans"], line["spans"], line["root"]) == (0, 24, "buy")
    assert (line["coverage"], line["duration_ms"]) == (1.0, 2330)
    assert matching_roots(running, "uncovered > 0") == set()


def test_deleted_spans_are_removed_from_the_digests(running: Running) -> None:
    """Neither deleted traces nor deleted spans of a trace are found or counted."""
    kept, gone = purchase("kept", BEGAN), purchase("gone", BEGAN)
    send_all(running, [kept, gone])
    assert get(running, "/api/traces")["total"] == 2
    running.store.run(
        lambda cursor: cursor.execute(
            "delete from raw_spans where trace_id = ? or service_name = 'issue'",
            [gone.trace_id.hex()],
        )
    ).result(10)
    running.send(single_span_trace("new"))
    listed = get(running, "/api/traces")["traces"]
    assert {line["order_id"] for line in listed} == {"kept", None}
    assert get(running, "/api/traces", q="service = issue")["total"] == 0
    running.store.run(lambda cursor: cursor.execute("delete from raw_spans")).result(10)
    running.send(single_span_trace("last"))
    assert matching_roots(running, "") == {"last"}
    assert get(running, "/api/coverage")["spans"] == 1


def test_digests_survive_a_restart_and_are_rebuilt_for_another_version(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """Queries have the same results after each restart."""
    data = tmp_path / "kept.duckdb"
    running = start(data)
    running.send(purchase("order-1", BEGAN))
    before = get(running, "/api/traces", q="order = order-1")["traces"]
    running.stop()
    running = start(data)
    assert get(running, "/api/traces", q="order = order-1")["traces"] == before
    running.store.run(
        lambda cursor: cursor.execute("update digest_state set version = 'other'")
    ).result(10)
    running.stop()
    running = start(data)
    assert get(running, "/api/traces", q="order = order-1")["traces"] == before


def test_the_heatmap_counts_every_trace(running: Running) -> None:
    """Cells, totals and scale are right without traces, with one, and with many."""
    empty = get(running, "/api/heatmap")
    assert (empty["total"], empty["cells"], empty["p95_ms"]) == (0, [], None)
    assert empty["from_ms"] < empty["to_ms"]
    running.send(single_span_trace("first"))
    heat = get(running, "/api/heatmap", columns=10, rows=5)
    assert [cell[2:] for cell in heat["cells"]] == [[1, 0]]
    send_all(
        running,
        [single_span_trace(f"t{n}", at_ms=n * 1000, duration_ms=2**n) for n in range(1, 15)],
    )
    wrong = single_span_trace("wrong", at_ms=500)
    wrong.span("page", "broken", INTERNAL, 0, 1, wrong.spans[0][1], error="no")
    running.send(wrong)
    time_range = {"from": BEGAN // MS, "to": BEGAN // MS + 20_000}
    heat = get(running, "/api/heatmap", columns=20, rows=12, **time_range)
    assert (heat["total"], heat["errors"], heat["outside"]) == (16, 1, 0)
    assert sum(cell[2] for cell in heat["cells"]) == 16
    assert sum(cell[3] for cell in heat["cells"]) == 1
    assert (len(heat["rows"]), heat["column_ms"]) == (12, 1000)
    longest = next(cell for cell in heat["cells"] if cell[0] == 14)
    row = heat["rows"][longest[1]]
    assert row["least_ms"] <= 2**14 < row["most_ms"]
    for below, above in zip(heat["rows"], heat["rows"][1:], strict=False):
        assert below["most_ms"] == pytest.approx(above["least_ms"])
    assert get(running, "/api/heatmap", q="name = nothing", **time_range)["cells"] == []
    empty_range = get(running, "/api/heatmap", **{"from": 5, "to": 5})
    assert (empty_range["total"], empty_range["cells"]) == (0, [])


def test_the_heatmap_leaves_out_traces_with_outlying_times(running: Running) -> None:
    """Traces in 1970 and 2100 are counted outside; a negative duration is shown."""
    send_all(running, [single_span_trace(f"t{n}", at_ms=n * 100) for n in range(300)])
    for name, began in (("then", 0), ("some day", 4_102_444_800 * 10**9), ("end", 2**63 - 1)):
        trace = Trace(began_unix_nano=began)
        trace.span("page", name, INTERNAL, 0, 0)
        running.send(trace)
    running.send(single_span_trace("backwards", at_ms=50, duration_ms=-40))
    heat = get(running, "/api/heatmap")
    assert (heat["total"], heat["outside"]) == (304, 3)
    assert sum(cell[2] for cell in heat["cells"]) == 301
    assert all(0 <= cell[0] < 60 and 0 <= cell[1] < 24 for cell in heat["cells"])
    assert get(running, "/api/traces", q="name = end")["traces"][0]["duration_ms"] == 0
    single = get(running, "/api/heatmap", q="name = then")
    assert (single["total"], single["outside"]) == (1, 0)
    get(running, "/api/map")
    get(running, "/api/compare", **{"in": "name = then"})


def orders_of_shows(count: int = 60) -> list[Trace]:
    """Return orders of which every fifth is for the night ferry, with a long wait in reserve."""
    traces = []
    for n in range(count):
        slow = n % 5 == 0
        trace = Trace(began_unix_nano=BEGAN + n * 10**9)
        order: dict[str, Any] = {
            "boxoffice__order__id": f"order-{n}",
            "seats": n % 3,
            "price": 10.5 + n,
        }
        show = "night-ferry" if slow else ("opera", "circus")[n % 2]
        buy = trace.span(
            "page", "buy", PRODUCER, 0, 10, throughline__root="page", show__id=show, **order
        )
        wait_ms = 2000 + n if slow else 50 + n
        trace.span(
            "reserve", "reserve", CONSUMER, 10 + wait_ms, 40 + wait_ms, buy,
            throughline__hop="trigger", throughline__context="carried",
        )  # fmt: skip
        if n % 20 == 0:
            buy.attributes.add(key="voucher").value.string_value = "half"
        traces.append(trace)
    return traces


def test_the_largest_differences_come_first(running: Running) -> None:
    """The attributes and the sentence begin with the boxed orders' show and wait."""
    send_all(running, orders_of_shows())
    contrast = get(running, "/api/compare", in_least_ms=1000)
    assert (contrast["selected"], contrast["rest"]) == (12, 48)
    keys = [attribute["key"] for attribute in contrast["attributes"]]
    assert set(keys[:2]) == {"show.id", "wait.reserve"}
    assert "duration" not in keys  # the box was drawn by it
    assert not {"order", "boxoffice.order.id"} & set(keys)  # every value is different
    show = next(each for each in contrast["attributes"] if each["key"] == "show.id")
    assert (show["difference"], show["kind"]) == (1.0, "text")
    assert show["values"][0] == {
        "label": "night-ferry",
        "filter": 'show.id = "night-ferry"',
        "inside": 1.0,
        "outside": 0.0,
        "inside_count": 12,
        "outside_count": 0,
    }
    assert sentence_of(contrast) == (
        "In the 12 orders you boxed, show.id is “night-ferry” for 100 %, against 0 % of the rest, "
        "and they spend 1.95 s more waiting in reserve."
    )
    strong = [part["text"] for part in contrast["sentence"] if part["strong"]]
    assert strong == ["12 orders", "show.id is “night-ferry”", "1.95 s more", "reserve"]


def test_what_was_known_at_the_start_comes_before_what_may_follow_from_it(
    running: Running,
) -> None:
    """A consequence that differs more is in the second group, as is a value that changes later."""
    traces = []
    for n in range(60):
        fails = n % 5 == 0
        trace = Trace(began_unix_nano=BEGAN + n * 10**9)
        # The show differs a little less than what fails because of it.
        show = "night-ferry" if fails or n == 1 else "opera"
        root = trace.span(
            "page", "buy", PRODUCER, 0, 10, show__id=show, phase="placed", throughline__root="page"
        )
        result: dict[str, Any] = {"result": "nothing_to_do"} if fails else {}
        trace.span(
            "reserve", "reserve", CONSUMER, 20, 30, root,
            error=f"order o-{n} of seat {n}F is lost" if fails else None,
            throughline__attempt=5 if fails else 1, phase="stuck" if fails else "reserved",
            **result,
        )  # fmt: skip
        traces.append(trace)
    send_all(running, traces)
    contrast = get(running, "/api/compare", **{"in": "error = true"})
    groups = [(each["key"], each["known_at_start"]) for each in contrast["attributes"]]
    assert groups[0] == ("show.id", True)
    later = {key for key, known_at_start in groups if not known_at_start}
    assert {"result", "attempts", "phase", "error.message"} <= later
    assert "show.id is “night-ferry”" in sentence_of(contrast)
    message = next(each for each in contrast["attributes"] if each["key"] == "error.message")
    assert message["values"][0]["label"] == "order # of seat # is lost"
    assert get(running, "/api/traces", q=message["values"][0]["filter"])["total"] == 12


def test_the_filter_of_every_compared_value_matches_its_count(running: Running) -> None:
    """This holds for text, numbers, ranges, waits, missing hops, and unset attributes."""
    traces = orders_of_shows()
    for trace in traces[::15]:
        trace.spans.pop()
    send_all(running, traces)
    contrast = get(running, "/api/compare", **{"in": "show.id = opera", "q": "seats < 2"})
    kinds = {attribute["kind"] for attribute in contrast["attributes"]}
    assert kinds == {"text", "number", "derived"}
    keys = {attribute["key"] for attribute in contrast["attributes"]}
    assert {"price", "seats", "voucher", "wait.reserve", "missing_hop", "duration"} <= keys
    assert "show.id" not in keys
    for attribute in contrast["attributes"]:
        for value in attribute["values"]:
            for side, negation in (("inside", ""), ("outside", "not ")):
                q = f"seats < 2 and {negation}show.id = opera and ({value['filter']})"
                total = get(running, "/api/traces", q=q)["total"]
                assert total == value[f"{side}_count"], (attribute["key"], value)


def test_keys_equivalent_to_the_filter_are_left_out(running: Running) -> None:
    """Traces chosen by their errors do not differ in `error`, `errors` and `status`."""
    traces = [single_span_trace(f"t{n % 2}", at_ms=n, seats=2 if n % 4 else 9) for n in range(40)]
    for trace in traces[::4]:
        trace.spans[0][1].status.code = ERROR
    send_all(running, traces)
    for subset in ("error = true", "errors > 0", "status = ERROR"):
        contrast = get(running, "/api/compare", **{"in": subset})
        keys = {attribute["key"] for attribute in contrast["attributes"]}
        assert {"seats", "error.service"} <= keys
        assert not {"error", "errors", "status"} & keys


class InterruptedCursor:
    """A cursor that stores a trace before the snapshots of both cursors are equal, twice."""

    def __init__(self, running: Running, cursor: duckdb.DuckDBPyConnection) -> None:
        self._running = running
        self._cursor = cursor
        self.interruptions = 0

    def rollback(self) -> None:
        """Roll back, and then store a trace, so that the next transaction sees another state."""
        self._cursor.rollback()
        self._interrupt(2)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Store a trace, and return another cursor, which sees a later state."""
        self._interrupt(1)
        return self._cursor.cursor()

    def _interrupt(self, times: int) -> None:
        if self.interruptions < times:
            self.interruptions += 1
            self._running.send(single_span_trace(f"later {self.interruptions}"))
            self._running.context.digests.refresh()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


def test_two_cursors_share_a_snapshot(running: Running) -> None:
    """Spans stored between the starts of their transactions are seen by both or neither."""
    running.send(single_span_trace("first"))
    count = "select count(*) from trace_digests"
    with running.context.digests.reader() as cursor:
        reader = InterruptedCursor(running, cursor)
        with shared_snapshot(cast("duckdb.DuckDBPyConnection", reader)) as other:
            assert reader.interruptions == 2
            counts = [each.execute(count).fetchall() for each in (reader, other)]
            assert counts[0] == counts[1]
            running.send(single_span_trace("last"))
            running.context.digests.refresh()
            assert [each.execute(count).fetchall() for each in (reader, other)] == counts


def test_the_sentence_says_when_there_is_nothing_to_compare(running: Running) -> None:
    """Either side may be empty, or there may be no difference."""
    empty = get(running, "/api/compare", in_least_ms=1)
    assert (empty["selected"], empty["attributes"]) == (0, [])
    assert sentence_of(empty) == "No trace matches, so there is nothing to compare."
    send_all(running, [single_span_trace(f"t{n % 2}", at_ms=n, seats=2) for n in range(40)])

    def sentence(**parameters: Any) -> str:
        return sentence_of(get(running, "/api/compare", **parameters))

    assert sentence(in_least_ms=1e6) == "No trace is in your box."
    assert sentence(in_least_ms=0).startswith("All 40 traces are in your box")
    assert sentence(in_from=BEGAN // MS, in_to=BEGAN // MS + 20) == (
        "Nothing sets the 20 traces you boxed clearly apart from the rest."
    )
    assert running.http.get("/api/compare").status_code == 400


def test_keys_and_values_are_suggested(running: Running) -> None:
    """Keys come with examples, including the reserved ones; frequent values come first."""
    send_all(running, orders_of_shows())
    keys = {key["key"]: key for key in get(running, "/api/keys")["keys"]}
    assert keys["show.id"] == {
        "key": "show.id",
        "kind": "text",
        "values": 3,
        "examples": ["circus", "night-ferry", "opera"],
    }
    assert (keys["seats"]["kind"], keys["seats"]["examples"]) == ("number", ["0", "1", "2"])
    assert {"duration", "error", "missing_hop", "wait.reserve"} <= keys.keys()
    assert {keys[key]["kind"] for key in ("duration", "wait.reserve")} == {"derived"}
    assert [key["key"] for key in get(running, "/api/keys", prefix="SHOW")["keys"]] == ["show.id"]
    values = get(running, "/api/values", key="show.id", prefix="")["values"]
    assert values[0]["count"] == 24
    assert get(running, "/api/values", key="show.id", prefix="NIGHT")["values"] == [
        {"value": "night-ferry", "count": 12}
    ]
    assert get(running, "/api/values", key="nothing")["values"] == []
    assert get(running, "/api/values", key="service.name")["values"][0]["value"] == "page"


def test_keys_with_thousands_of_values_are_searched_but_not_compared(running: Running) -> None:
    """A key whose values are all different, such as message ids, is left out of contrasts."""
    for batch in range(3):
        traces = []
        for n in range(batch * 150, batch * 150 + 150):
            trace = single_span_trace(f"t{n % 4}", at_ms=n, kind__of="ab"[n % 2])
            for m in range(25):
                trace.span(
                    "page", "send", PRODUCER, 0, 1, trace.spans[0][1],
                    message__id=f"m-{n}-{m}", cost=n + m / 100,
                )  # fmt: skip
            traces.append(trace)
        send_all(running, traces)

    def total(q: str) -> int:
        return int(get(running, "/api/traces", q=q)["total"])

    assert total("message.id = m-7-3") == total("message.id = m-449-24") == 1
    assert total("message.id != m-7-3") == 449
    assert total("message.id ~ M-449-") == total("message.id ~ m-7-") == 1
    assert total("cost >= 448 and cost < 449") == 1
    assert total("cost = 449.24") == 1
    assert total("message.id exists") == 450
    assert total("m-449-24") == 1  # a bare word finds whole values of such a key
    keys = {key["key"]: key for key in get(running, "/api/keys")["keys"]}
    assert keys["message.id"]["values"] > 9_000
    assert keys["message.id"]["examples"]
    values = get(running, "/api/values", key="message.id", prefix="m-449-")["values"]
    assert len(values) == 20
    contrast = get(running, "/api/compare", **{"in": "kind.of = a"})
    compared_keys = {attribute["key"] for attribute in contrast["attributes"]}
    assert "message.id" not in compared_keys
    assert "cost" in compared_keys


def test_every_one_of_ten_thousand_keys_is_searchable(running: Running) -> None:
    """A contrast has only the keys with the largest differences."""
    keys: dict[str, Any] = {f"k{n}": n for n in range(10_000)}
    many = single_span_trace("many", **keys)
    send_all(running, [many, *(single_span_trace(f"t{n}") for n in range(5))])
    assert matching_roots(running, "k9999 = 9999") == {"many"}
    assert matching_roots(running, "not k5 exists") == {f"t{n}" for n in range(5)}
    assert len(get(running, "/api/keys", prefix="k99")["keys"]) == 111
    contrast = get(running, "/api/compare", **{"in": "name = many"})
    assert len(contrast["attributes"]) == 40


def test_the_map_has_an_edge_for_each_hop_between_two_services(running: Running) -> None:
    """An edge has its hop, counts, durations, waits and the share of carried contexts."""
    empty = get(running, "/api/map")
    assert empty == {"nodes": [], "edges": []}
    send_all(running, [purchase(f"order-{n}", BEGAN + n * MS) for n in range(4)])
    hop_map = get(running, "/api/map")
    nodes = {node["id"]: node for node in hop_map["nodes"]}
    assert set(nodes) == {"page", "reserve", "charge", "acquirer", "settle", "issue"}
    assert (nodes["acquirer"]["party"], nodes["reserve"]["spans"]) == ("vendor", 20)
    edges = {(edge["from"], edge["to"], edge["hop"]): edge for edge in hop_map["edges"]}
    trigger = edges["page", "reserve", "trigger"]
    assert (trigger["count"], trigger["per_minute"], trigger["errors"]) == (4, 4, 0)
    assert (trigger["p50_ms"], trigger["wait_p50_ms"], trigger["wait_p95_ms"]) == (232, 180, 180)
    assert (trigger["carried"], trigger["orphans"], trigger["broken"]) == (1.0, 0, False)
    assert edges["charge", "settle", "webhook"]["wait_p50_ms"] is None
    assert not any(edge["broken"] for edge in hop_map["edges"])


def test_a_broken_edge_has_a_filter_for_its_orphans(running: Running) -> None:
    """A receiver without its parent counts for the usual sender of its hop, or for the node `?`."""
    send_all(running, [purchase(f"order-{n}", BEGAN) for n in range(3)])
    lost = purchase("lost", BEGAN)
    lost.spans = [pair for pair in lost.spans if pair[1].name != "send order-paid"]
    stray = Trace(began_unix_nano=BEGAN)
    stray.span(
        "audit", "audit", CONSUMER, 0, 1, b"gone-999",
        throughline__hop="eventarc", throughline__context="carried",
    )  # fmt: skip
    absent = Trace(began_unix_nano=BEGAN)
    absent.span(
        "expire", "expire", SERVER, 0, 1, throughline__hop="task", throughline__context="absent"
    )
    swept = Trace(began_unix_nano=BEGAN)
    swept.span(
        "sweep", "sweep", SERVER, 0, 1,
        throughline__root="schedule", throughline__hop="schedule", throughline__context="absent",
    )  # fmt: skip
    send_all(running, [lost, stray, absent, swept])
    hop_map = get(running, "/api/map")
    broken = {
        (edge["from"], edge["to"], edge["hop"]): edge for edge in hop_map["edges"] if edge["broken"]
    }
    assert set(broken) == {
        ("settle", "issue", "pubsub"),
        ("?", "audit", "eventarc"),
        ("?", "expire", "task"),
    }
    issue = broken["settle", "issue", "pubsub"]
    assert (issue["count"], issue["orphans"]) == (4, 1)
    assert broken["?", "expire", "task"]["carried"] == 0
    lines = get(running, "/api/traces", q=issue["orphan_filter"])["traces"]
    assert [line["order_id"] for line in lines] == ["lost"]
    assert {"?", "sweep"} <= {node["id"] for node in hop_map["nodes"]}
