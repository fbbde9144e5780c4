"""Questions about many traces: what filters find, pages, the heatmap, comparing, the map."""

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


def one(name: str, at_ms: float = 0, duration_ms: float = 5, **attributes: Any) -> Trace:
    """A trace of one root span."""
    trace = Trace(began_unix_nano=BEGAN + round(at_ms * MS))
    trace.span("page", name, INTERNAL, 0, duration_ms, throughline__root="page", **attributes)
    return trace


def send_all(running: Running, traces: list[Trace]) -> None:
    """Send many traces in one request."""
    together = Trace()
    for trace in traces:
        together.spans += trace.spans
    running.send(together)


def found(running: Running, q: str, **more: Any) -> set[str]:
    """The roots' names of the traces that match."""
    answer = running.http.get("/api/traces", params={"q": q, "limit": 500, **more})
    assert answer.status_code == 200, answer.text
    listed = answer.json()
    assert listed["total"] == len(listed["traces"])
    return {line["root"] for line in listed["traces"]}


def get(running: Running, path: str, **asked: Any) -> Any:
    """The JSON that the API answers with."""
    answer = running.http.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_comparison_holds_when_one_span_satisfies_it(running: Running) -> None:
    """And what is denied holds when none does; each comparison may be met by another span."""
    both = one("both", seats=2, show__id="night-ferry", ratio=0.5)
    both.span("charge", "charge", CLIENT, 1, 900, both.spans[0][1], error="no", seats=7, duration=9)
    neither = one("neither", seats=4, colour="2")
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
        "root = page and throughline.root exists": everything,
        "name = both": {"both"},
        f"trace = {both.trace_id.hex().upper()}": {"both"},
        f"trace ~ {both.trace_id.hex()[4:20]}": {"both"},
        "BOTH charge": {"both"},
        "both neither": set(),
        "nothing = here": set(),
        "nothing exists": set(),
        "nothing != here": everything,
        "attempts exists": set(),
        "wait.charge exists": set(),
    }.items():
        assert found(running, q) == expected, q


def test_waits_attempts_and_missing_hops_are_found(running: Running) -> None:
    """Waits are those that the journey shows; a hop is missed where the others have it."""
    traces = [purchase(f"order-{n}", BEGAN + n * 10**9) for n in range(8)]
    traces.append(purchase("order-8", BEGAN + 8 * 10**9, decline=True))
    again = traces[0].spans[4][1]
    again.attributes.add(key="throughline.delivery.attempt").value.int_value = 3
    send_all(running, traces)

    def orders(q: str) -> set[str | None]:
        return {line["order_id"] for line in get(running, "/api/traces", q=q)["traces"]}

    everyone = {f"order-{n}" for n in range(9)}
    journey = running.client.trace(traces[3].trace_id.hex())
    waits = {row["service"]: row["wait"]["duration_ms"] for row in journey["rows"] if row["wait"]}
    assert waits["reserve"] == 180
    assert orders("wait.reserve = 180ms") == everyone
    assert orders("wait.reserve > 180 ms or wait.reserve < 0.18 s") == set()
    assert orders("wait.pubsub >= 90") == everyone - {"order-8"}
    assert orders("not wait.issue exists") == {"order-8"}
    assert orders("attempts > 2") == {"order-0"}
    found_odd = get(running, "/api/compare", **{"in": "order = order-0"})
    ranked = {attribute["key"] for attribute in found_odd["attributes"]}
    assert "attempts" in ranked
    assert "throughline.delivery.attempt" not in ranked  # of which attempts is made
    for q in ("missing_hop exists", "missing_hop = issue", 'missing_hop = "pubsub → issue"'):
        assert orders(q) == {"order-8"}, q
    assert orders("missing_hop = trigger") == set()
    assert orders("missing_hop != issue") == everyone - {"order-8"}


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


def test_hostile_values_are_only_text(running: Running) -> None:
    """Whatever an attribute's key or value is, a filter finds that, and nothing else happens."""
    send_all(running, [one(f"t{n}", odd=text) for n, text in enumerate(HOSTILE)])
    for n, text in enumerate(HOSTILE):
        assert found(running, render(Comparison("odd", "=", Value(text)))) == {f"t{n}"}
    trace = one("odd keys")
    for n, text in enumerate(HOSTILE[:-1]):
        trace.spans[0][1].attributes.add(key=text).value.string_value = f"v{n}"
    running.send(trace)
    for n, text in enumerate(HOSTILE[:-1]):
        if text:
            q = render(Comparison(text, "=", Value(f"v{n}")))
            if len(q) < 4000:
                assert found(running, q) == {"odd keys"}
    values = get(running, "/api/values", key="odd", prefix="<")["values"]
    assert values == [{"value": "<script>", "count": 1}]
    assert get(running, "/api/keys", prefix="'; drop")["keys"][0]["key"] == HOSTILE[0]
    get(running, "/api/compare", **{"in": 'odd = "%"'})


def test_a_filter_that_cannot_be_read_says_where(running: Running) -> None:
    """400 with the code bad_filter, a message and a position, wherever a filter may stand."""
    for path in ("/api/traces", "/api/heatmap", "/api/compare", "/api/map"):
        answer = running.http.get(path, params={"q": "duration >"})
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["code"], error["position"]) == ("bad_filter", 10)
    answer = running.http.get("/api/compare", params={"in": "(a"})
    assert answer.json()["error"]["code"] == "bad_filter"
    for asked in ("from=x", "last=-1", "last=5&from=3", "sort=size", "order=up", "cursor=1"):
        answer = running.http.get(f"/api/traces?{asked}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request"), asked


def test_pages_hold_every_trace_once(running: Running) -> None:
    """In each order, also where many traces are equal in what they are sorted by."""
    send_all(running, [one(f"t{n}", at_ms=n // 3, duration_ms=1 + n % 2) for n in range(20)])
    for sort in ("start", "duration", "spans", "errors"):
        for order in ("desc", "asc"):
            seen: list[dict[str, Any]] = []
            cursor: str | None = ""
            while cursor is not None:
                page = get(running, "/api/traces", limit=7, sort=sort, order=order, cursor=cursor)
                assert page["total"] == 20
                seen += page["traces"]
                cursor = page["next_cursor"]
            assert len({line["trace_id"] for line in seen}) == len(seen) == 20
            key = {"start": "started_unix_nano", "duration": "duration_ms"}.get(sort, sort)
            values = [line[key] for line in seen]
            assert values == sorted(values, reverse=order == "desc")


def test_a_range_of_time_is_half_open(running: Running) -> None:
    """Traces that began at from, not those that began at to; last counts back from now."""
    send_all(running, [one(f"t{n}", at_ms=n * 1000) for n in range(4)])
    began = BEGAN // MS
    assert found(running, "", **{"from": began + 1000, "to": began + 3000}) == {"t1", "t2"}
    assert found(running, "", **{"from": began + 9000}) == set()
    assert found(running, "", last=60) == set()
    now = Trace(began_unix_nano=time.time_ns())
    now.span("page", "now", INTERNAL, 0, 1)
    running.send(now)
    assert found(running, "", last=60) == {"now"}
    assert "etag" not in running.http.get("/api/traces?last=60").headers


def test_late_spans_change_what_is_known_of_their_trace(running: Running) -> None:
    """A parent that comes later makes an orphan's trace whole; a span sent twice counts once."""
    trace = purchase("order-1", BEGAN)
    running.send(trace, "charge")
    (line,) = get(running, "/api/traces")["traces"]
    assert (line["orphans"], line["spans"], line["root"]) == (1, 3, "charge")
    assert found(running, "uncovered = 3") == {"charge"}
    assert get(running, "/api/traces", q="wait.charge exists")["total"] == 0
    running.send(trace, "charge")
    running.send(trace, *{service for service, _ in trace.spans} - {"charge"})
    (line,) = get(running, "/api/traces", q="wait.charge = 60")["traces"]
    assert (line["orphans"], line["spans"], line["root"]) == (0, 24, "buy")
    assert (line["coverage"], line["duration_ms"]) == (1.0, 2330)
    assert found(running, "uncovered > 0") == set()


def test_what_is_gone_is_found_no_more(running: Running) -> None:
    """Where rows were deleted, wholly or in part, nothing of them is counted."""
    kept, gone = purchase("kept", BEGAN), purchase("gone", BEGAN)
    send_all(running, [kept, gone])
    assert get(running, "/api/traces")["total"] == 2
    running.store.run(
        lambda cursor: cursor.execute(
            "delete from raw_spans where trace_id = ? or service_name = 'issue'",
            [gone.trace_id.hex()],
        )
    ).result(10)
    running.send(one("new"))
    listed = get(running, "/api/traces")["traces"]
    assert {line["order_id"] for line in listed} == {"kept", None}
    assert get(running, "/api/traces", q="service = issue")["total"] == 0
    running.store.run(lambda cursor: cursor.execute("delete from raw_spans")).result(10)
    running.send(one("last"))
    assert found(running, "") == {"last"}
    assert get(running, "/api/coverage")["spans"] == 1


def test_digests_survive_a_restart_and_are_made_anew_for_another_version(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """What they say is the same after each."""
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
    """Empty, with one trace, and with many: cells, figures and edges fit what was sent."""
    empty = get(running, "/api/heatmap")
    assert (empty["total"], empty["cells"], empty["p95_ms"]) == (0, [], None)
    assert empty["from_ms"] < empty["to_ms"]
    running.send(one("first"))
    lone = get(running, "/api/heatmap", columns=10, rows=5)
    assert [cell[2:] for cell in lone["cells"]] == [[1, 0]]
    send_all(running, [one(f"t{n}", at_ms=n * 1000, duration_ms=2**n) for n in range(1, 15)])
    wrong = one("wrong", at_ms=500)
    wrong.span("page", "broken", INTERNAL, 0, 1, wrong.spans[0][1], error="no")
    running.send(wrong)
    asked = {"from": BEGAN // MS, "to": BEGAN // MS + 20_000}
    heat = get(running, "/api/heatmap", columns=20, rows=12, **asked)
    assert (heat["total"], heat["errors"], heat["outside"]) == (16, 1, 0)
    assert sum(cell[2] for cell in heat["cells"]) == 16
    assert sum(cell[3] for cell in heat["cells"]) == 1
    assert (len(heat["rows"]), heat["column_ms"]) == (12, 1000)
    longest = next(cell for cell in heat["cells"] if cell[0] == 14)
    row = heat["rows"][longest[1]]
    assert row["least_ms"] <= 2**14 < row["most_ms"]
    for below, above in zip(heat["rows"], heat["rows"][1:], strict=False):
        assert below["most_ms"] == pytest.approx(above["least_ms"])
    assert get(running, "/api/heatmap", q="name = nothing", **asked)["cells"] == []
    nowhere = get(running, "/api/heatmap", **{"from": 5, "to": 5})
    assert (nowhere["total"], nowhere["cells"]) == (0, [])


def test_strange_times_do_not_spoil_the_heatmap(running: Running) -> None:
    """1970, 2100 and ends before starts: few columns, none of them years wide."""
    send_all(running, [one(f"t{n}", at_ms=n * 100) for n in range(300)])
    for name, began in (("then", 0), ("some day", 4_102_444_800 * 10**9), ("end", 2**63 - 1)):
        trace = Trace(began_unix_nano=began)
        trace.span("page", name, INTERNAL, 0, 0)
        running.send(trace)
    running.send(one("backwards", at_ms=50, duration_ms=-40))
    heat = get(running, "/api/heatmap")
    assert (heat["total"], heat["outside"]) == (304, 3)
    assert sum(cell[2] for cell in heat["cells"]) == 301
    assert all(0 <= cell[0] < 60 and 0 <= cell[1] < 24 for cell in heat["cells"])
    assert get(running, "/api/traces", q="name = end")["traces"][0]["duration_ms"] == 0
    alone = get(running, "/api/heatmap", q="name = then")
    assert (alone["total"], alone["outside"]) == (1, 0)
    get(running, "/api/map")
    get(running, "/api/compare", **{"in": "name = then"})


def shows(count: int = 60) -> list[Trace]:
    """Orders of which each fifth is of the night ferry, slow, and waits long in reserve."""
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
        waited = 2000 + n if slow else 50 + n
        trace.span(
            "reserve", "reserve", CONSUMER, 10 + waited, 40 + waited, buy,
            throughline__hop="trigger", throughline__context="carried",
        )  # fmt: skip
        if n % 20 == 0:
            buy.attributes.add(key="voucher").value.string_value = "half"
        traces.append(trace)
    return traces


def test_what_sets_a_box_apart_comes_first(running: Running) -> None:
    """The boxed orders' show and wait are named, in the list and in a sentence."""
    send_all(running, shows())
    answer = get(running, "/api/compare", in_least_ms=1000)
    assert (answer["selected"], answer["rest"]) == (12, 48)
    keys = [attribute["key"] for attribute in answer["attributes"]]
    assert set(keys[:2]) == {"show.id", "wait.reserve"}
    assert "duration" not in keys  # it is what the box was drawn by
    assert not {"order", "boxoffice.order.id"} & set(keys)  # no two are the same
    show = next(each for each in answer["attributes"] if each["key"] == "show.id")
    assert (show["difference"], show["kind"]) == (1.0, "text")
    assert show["values"][0] == {
        "label": "night-ferry",
        "filter": 'show.id = "night-ferry"',
        "inside": 1.0,
        "outside": 0.0,
        "inside_count": 12,
        "outside_count": 0,
    }
    said = "".join(piece["text"] for piece in answer["sentence"])
    assert said == (
        "In the 12 orders you boxed, show.id is “night-ferry” for 100 %, against 0 % of the rest, "
        "and they spend 1.95 s more waiting in reserve."
    )
    strong = [piece["text"] for piece in answer["sentence"] if piece["strong"]]
    assert strong == ["12 orders", "show.id is “night-ferry”", "1.95 s more", "reserve"]


def test_the_filter_of_every_compared_value_finds_what_was_counted(running: Running) -> None:
    """Texts, numbers, ranges, waits, hops that are missing, and what isn't set."""
    traces = shows()
    for trace in traces[::15]:
        trace.spans.pop()
    send_all(running, traces)
    answer = get(running, "/api/compare", **{"in": "show.id = opera", "q": "seats < 2"})
    kinds = {attribute["kind"] for attribute in answer["attributes"]}
    assert kinds == {"text", "number", "derived"}
    keys = {attribute["key"] for attribute in answer["attributes"]}
    assert {"price", "seats", "voucher", "wait.reserve", "missing_hop", "duration"} <= keys
    assert "show.id" not in keys
    for attribute in answer["attributes"]:
        for value in attribute["values"]:
            for side, number in (("inside", ""), ("outside", "not ")):
                q = f"seats < 2 and {number}show.id = opera and ({value['filter']})"
                total = get(running, "/api/traces", q=q)["total"]
                assert total == value[f"{side}_count"], (attribute["key"], value)


def test_who_chose_by_a_key_is_not_told_it_in_other_words(running: Running) -> None:
    """Those with errors differ in where they failed, not in that they have errors."""
    traces = [one(f"t{n % 2}", at_ms=n, seats=2 if n % 4 else 9) for n in range(40)]
    for trace in traces[::4]:
        trace.spans[0][1].status.code = ERROR
    send_all(running, traces)
    for chosen in ("error = true", "errors > 0", "status = ERROR"):
        answer = get(running, "/api/compare", **{"in": chosen})
        keys = {attribute["key"] for attribute in answer["attributes"]}
        assert {"seats", "error.service"} <= keys
        assert not {"error", "errors", "status"} & keys


class Overtaken:
    """A cursor of which another is only made after a trace was stored, the first few times."""

    def __init__(self, running: Running, cursor: duckdb.DuckDBPyConnection) -> None:
        self._running = running
        self._cursor = cursor
        self.overtaken = 0

    def rollback(self) -> None:
        """End the transaction; the first time something is stored before the next one begins."""
        self._cursor.rollback()
        self._overtake(2)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Another cursor, of a state after this one's."""
        self._overtake(1)
        return self._cursor.cursor()

    def _overtake(self, times: int) -> None:
        if self.overtaken < times:
            self.overtaken += 1
            self._running.send(one(f"later {self.overtaken}"))
            self._running.context.digests.refresh()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


def test_what_is_asked_side_by_side_is_asked_of_one_state(running: Running) -> None:
    """Telemetry that is stored between the two begins of a comparison is seen by both or none."""
    running.send(one("first"))
    count = "select count(*) from trace_digests"
    with running.context.digests.reader() as cursor:
        reader = Overtaken(running, cursor)
        with shared_snapshot(cast("duckdb.DuckDBPyConnection", reader)) as other:
            assert reader.overtaken == 2
            seen = [each.execute(count).fetchall() for each in (reader, other)]
            assert seen[0] == seen[1]
            running.send(one("last"))
            running.context.digests.refresh()
            assert [each.execute(count).fetchall() for each in (reader, other)] == seen


def test_there_may_be_nothing_to_compare(running: Running) -> None:
    """No trace, none inside, none outside, or no difference: a sentence says so."""
    nothing = get(running, "/api/compare", in_least_ms=1)
    assert (nothing["selected"], nothing["attributes"]) == (0, [])
    send_all(running, [one(f"t{n % 2}", at_ms=n, seats=2) for n in range(40)])

    def said(**asked: Any) -> str:
        return "".join(piece["text"] for piece in get(running, "/api/compare", **asked)["sentence"])

    assert said(in_least_ms=1e6) == "No trace is in your box."
    assert said(in_least_ms=0).startswith("All 40 traces are in your box")
    assert said(in_from=BEGAN // MS, in_to=BEGAN // MS + 20) == (
        "Nothing sets the 20 traces you boxed clearly apart from the rest."
    )
    assert running.http.get("/api/compare").status_code == 400


def test_keys_and_values_are_suggested(running: Running) -> None:
    """Keys with examples, those of the language among them; values by how many traces have them."""
    send_all(running, shows())
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


def test_ids_of_many_traces_stay_findable_and_out_of_the_way(running: Running) -> None:
    """A key with more different values than anybody reads is searched, but not compared."""
    for part in range(3):
        traces = []
        for n in range(part * 150, part * 150 + 150):
            trace = one(f"t{n % 4}", at_ms=n, kind__of="ab"[n % 2])
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
    keys = {key["key"]: key for key in get(running, "/api/keys")["keys"]}
    assert keys["message.id"]["values"] > 9_000
    assert keys["message.id"]["examples"]
    values = get(running, "/api/values", key="message.id", prefix="m-449-")["values"]
    assert len(values) == 20
    answer = get(running, "/api/compare", **{"in": "kind.of = a"})
    assert "message.id" not in {attribute["key"] for attribute in answer["attributes"]}
    assert "cost" in {attribute["key"] for attribute in answer["attributes"]}


def test_ten_thousand_keys_are_no_trouble(running: Running) -> None:
    """Every one of them is searchable; comparing looks at those that differ most."""
    keys: dict[str, Any] = {f"k{n}": n for n in range(10_000)}
    many = one("many", **keys)
    send_all(running, [many, *(one(f"t{n}") for n in range(5))])
    assert found(running, "k9999 = 9999") == {"many"}
    assert found(running, "not k5 exists") == {f"t{n}" for n in range(5)}
    assert len(get(running, "/api/keys", prefix="k99")["keys"]) == 111
    answer = get(running, "/api/compare", **{"in": "name = many"})
    assert len(answer["attributes"]) == 40


def test_the_map_shows_who_hands_work_to_whom(running: Running) -> None:
    """Edges are named by their hops, with counts, waits and what was carried."""
    empty = get(running, "/api/map")
    assert empty == {"nodes": [], "edges": []}
    send_all(running, [purchase(f"order-{n}", BEGAN + n * MS) for n in range(4)])
    drawn = get(running, "/api/map")
    nodes = {node["id"]: node for node in drawn["nodes"]}
    assert set(nodes) == {"page", "reserve", "charge", "acquirer", "settle", "issue"}
    assert (nodes["acquirer"]["party"], nodes["reserve"]["spans"]) == ("vendor", 20)
    edges = {(edge["from"], edge["to"], edge["hop"]): edge for edge in drawn["edges"]}
    trigger = edges["page", "reserve", "trigger"]
    assert (trigger["count"], trigger["per_minute"], trigger["errors"]) == (4, 4, 0)
    assert (trigger["p50_ms"], trigger["wait_p50_ms"], trigger["wait_p95_ms"]) == (232, 180, 180)
    assert (trigger["carried"], trigger["orphans"], trigger["broken"]) == (1.0, 0, False)
    assert edges["charge", "settle", "webhook"]["wait_p50_ms"] is None
    assert not any(edge["broken"] for edge in drawn["edges"])


def test_a_broken_edge_says_where_its_orphans_are(running: Running) -> None:
    """What lost its parent is drawn where others of its kind came from, else from nowhere known."""
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
    drawn = get(running, "/api/map")
    broken = {
        (edge["from"], edge["to"], edge["hop"]): edge for edge in drawn["edges"] if edge["broken"]
    }
    assert set(broken) == {
        ("settle", "issue", "pubsub"),
        ("?", "audit", "eventarc"),
        ("?", "expire", "task"),
    }
    issue = broken["settle", "issue", "pubsub"]
    assert (issue["count"], issue["orphans"]) == (4, 1)
    assert broken["?", "expire", "task"]["carried"] == 0
    listed = get(running, "/api/traces", q=issue["orphan_filter"])["traces"]
    assert [line["order_id"] for line in listed] == ["lost"]
    assert {"?", "sweep"} <= {node["id"] for node in drawn["nodes"]}
