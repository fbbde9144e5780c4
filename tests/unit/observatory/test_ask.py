"""Questions in SQL: what they answer, and that they can only read, within bounds."""

import re
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from observatory.ask.query import answer_of
from observatory.ask.schema import EXAMPLES, schema_of
from observatory.ask.statement import BadSql
from observatory.receive.logs import logs_of
from observatory.receive.spans import spans_of
from observatory.store import Store
from observatory.store.views import views_of
from tests.unit.observatory.box_office import BOX_OFFICE
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import purchase


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with two purchases, one of them declined."""
    opened = Store(tmp_path_factory.mktemp("ask") / "spans.duckdb", BOX_OFFICE.promotions)
    for trace in (purchase("order-1"), purchase("order-2", decline=True)):
        opened.add(spans_of(trace.request().SerializeToString()).rows).result(10)
        opened.add(logs_of(trace.logs_request().SerializeToString()).rows).result(10)
    yield opened
    opened.close()


def rows_of(store: Store, sql: str, **bounds: Any) -> list[list[Any]]:
    with store.reader() as reader:
        return answer_of(reader, sql, **bounds)["rows"]


def one_of(store: Store, expression: str) -> Any:
    ((value,),) = rows_of(store, "select " + expression)
    return value


def test_spans_have_hex_ids_times_and_attributes(store: Store) -> None:
    """A span is found by an attribute, and its columns are what a person would write."""
    ((trace_id, service, duration, since, version),) = rows_of(
        store,
        """
        select trace_id, service, duration_ms, now() - start_time < interval '1 hour',
            resource['service.version']
        from spans where attributes['boxoffice.order.state'] = 'ticketed' and kind = 'CONSUMER'
            and service = 'issue'
        """,
    )
    assert len(trace_id) == 32
    assert (service, duration, since, version) == ("issue", 280.0, True, "0.1.0")


def test_traces_hops_and_logs_can_be_joined(store: Store) -> None:
    """The other views say what the explorer says of the same purchase."""
    assert rows_of(
        store,
        "select order_id, root, root_service, duration_ms, spans, errors, order_state "
        "from traces order by order_id",
    ) == [
        ["order-1", "buy", "page", 2330.0, 24, 0, "ticketed"],
        ["order-2", "buy", "page", 1985.0, 20, 0, "declined"],
    ]
    assert rows_of(
        store,
        "select from_service, service, carrier, wait_ms, orphan from hops "
        "where hop = 'pubsub' and order_id = 'order-1' order by start_time",
    ) == [
        ["reserve", "charge", "message-attributes", 60.0, False],
        ["settle", "issue", "message-attributes", 90.0, False],
    ]
    assert rows_of(
        store,
        "select severity, service from logs join traces using (trace_id) "
        "where order_state = 'declined' and severity <> 'INFO'",
    ) == [["WARN", "settle"]]


def test_every_column_is_described_and_every_example_answers(store: Store) -> None:
    """The words about the views are about the columns they have, in their order."""
    with store.reader() as reader:
        described = schema_of(reader)
        for view, told in zip(views_of(BOX_OFFICE.promotions), described["views"], strict=True):
            found = reader.execute(f"describe {view.name}").fetchall()
            assert [(row[0], row[1]) for row in found] == [
                (column["name"], column["type"]) for column in told["columns"]
            ]
        for example in (*BOX_OFFICE.examples, *EXAMPLES):
            assert answer_of(reader, example["sql"])["columns"], example["question"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("null", None),
        ("170141183460469231731687303715884105727::hugeint", str(2**127 - 1)),
        ("9007199254740991", 9007199254740991),
        ("9007199254740992", "9007199254740992"),
        ("'nan'::double", "nan"),
        ("'-inf'::double", "-inf"),
        ("1.50::decimal(9,2)", "1.50"),
        ("timestamp '2026-01-02 03:04:05.678'", "2026-01-02 03:04:05.678"),
        ("date '2026-01-02'", "2026-01-02"),
        ("interval '90 minutes'", "01:30:00"),
        ("'\\x00\\xFF'::blob", "AP8="),
        ("map {'a': [1, 2], 'b': null}", {"a": [1, 2], "b": None}),
        ("{'n': 'inf'::double, 'w': 2::hugeint ** 100}", {"n": "inf", "w": 2**100 * 1.0}),
        ("[9007199254740993]", ["9007199254740993"]),
        ("true", True),
        ("'<b>&'", "<b>&"),
        ("uuid '00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_values_are_what_json_can_say(store: Store, expression: str, value: Any) -> None:
    """Numbers that JSON or a browser can't hold, times, bytes and nested values come as text or
    JSON."""
    assert one_of(store, expression) == value


def test_a_time_with_a_zone_is_text(store: Store) -> None:
    """now() and the views' times are answered, whatever the zone of the machine."""
    assert one_of(store, "now()").startswith("20")
    assert rows_of(store, "select max(start_time) from spans")[0][0].startswith("20")


def test_describe_summarize_explain_and_show_answer(store: Store) -> None:
    """What tells about the data and the plan may be asked too."""
    assert rows_of(store, "describe spans")[0][:2] == ["trace_id", "VARCHAR"]
    assert rows_of(store, "summarize logs")[0][0] == "time"
    assert "raw_spans" in rows_of(store, "explain select * from spans -- plan")[0][1]
    assert ["hops"] in rows_of(store, "show tables;")
    assert rows_of(store, "pivot spans on kind in ('SERVER') using count(*) group by service")
    assert rows_of(store, "select 1 as a, 2 as a -- twice") == [[1, 2]]
    assert rows_of(store, "select n from range(3) as r(n) order by n desc") == [[2], [1], [0]]


FORBIDDEN = [
    # other files, and the network
    "select * from read_csv('/etc/hostname')",
    "select * from read_text('/etc/hostname')",
    "select * from '/etc/hostname'",
    "select * from glob('/*')",
    "select * from 'https://example.com/x.parquet'",
    "with x as (from read_blob('/etc/hostname')) select * from x",
    "attach 'other.duckdb'",
    "copy raw_spans to 'out.csv'",
    "copy (select 1) to 'out.csv'",
    "copy raw_spans from '/etc/hostname'",
    "export database 'out'",
    "install httpfs",
    "load json",
    # writing
    "delete from raw_spans",
    "insert into raw_spans select * from raw_spans",
    "update raw_spans set name = 'x'",
    "drop table raw_spans",
    "drop view spans",
    "create table x as select 1",
    "create temp table x as select 1",
    "create or replace view spans as select 1",
    "alter table raw_spans add column x int",
    "truncate raw_spans",
    "with gone as (delete from raw_spans returning name) select * from gone",
    "with more as (insert into resources select * from resources returning 1) select 1",
    "explain analyze delete from raw_spans",
    "explain analyze with gone as (delete from raw_spans returning 1) select 1",
    # settings, transactions and the like
    "set memory_limit = '100GB'",
    "reset memory_limit",
    "pragma enable_profiling",
    "set variable a = 1",
    "begin",
    "rollback",
    "commit",
    "checkpoint",
    "vacuum",
    "call pragma_version()",
    "prepare p as select 1",
    "execute p",
    "use memory",
    "detach spans",
    "pivot spans on kind using count(*)",
    # functions with effects, and those that run SQL from a string
    "from checkpoint()",
    "from force_checkpoint()",
    "select * from query('select 1')",
    "from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "select (select count(*) from force_checkpoint())",
    "from enable_logging()",
    "explain analyze select * from force_checkpoint()",
    # several, none, and no SQL
    "select 1; select 2",
    "select 1; drop table raw_spans",
    "",
    "-- nothing",
    "select 1) union all (select 2",
    "select",
    "select * from nowhere",
    "select " + "(" * 50_000 + "1" + ")" * 50_000,
]


@pytest.mark.parametrize("sql", FORBIDDEN, ids=lambda sql: sql[:50])
def test_nothing_but_reading_is_possible(store: Store, sql: str) -> None:
    """Files, writes, settings and several statements are refused, and everything is still there."""
    before = rows_of(store, "select count(*), count(distinct name) from raw_spans")
    tables = rows_of(store, "select count(*) from duckdb_tables()")
    with pytest.raises(BadSql) as refused:
        rows_of(store, sql)
    assert str(refused.value)
    assert rows_of(store, "select count(*), count(distinct name) from raw_spans") == before
    assert rows_of(store, "select count(*) from duckdb_tables()") == tables
    assert not Path("out.csv").exists()


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from range(100000000000) as a(x), range(1000) as b(y) where x % 7 = y",
        "with recursive n(i) as (select 1 union all select i % 1000 + 1 from n) "
        "select count(*) from n",
        "with recursive n(i) as (select 1 union all select i % 1000 + 1 from n) "
        "select * from n where i < 0",
    ],
)
def test_an_endless_question_is_interrupted(store: Store, sql: str) -> None:
    """What would take for ever ends after its time, and the next question is answered."""
    began = time.monotonic()
    with pytest.raises(BadSql, match=r"took longer than 0\.3 s"):
        rows_of(store, sql, seconds=0.3)
    assert time.monotonic() - began < 8
    assert one_of(store, "1") == 1


def test_rows_and_texts_are_bounded(store: Store) -> None:
    """There are no more rows than asked for, and one value can't fill the answer."""
    with store.reader() as reader:
        answer = answer_of(reader, "select * from range(100)", limit=10)
        assert (len(answer["rows"]), answer["truncated"]) == (10, True)
        answer = answer_of(reader, "select * from range(10)", limit=10)
        assert (len(answer["rows"]), answer["truncated"]) == (10, False)
        answer = answer_of(reader, "select repeat('x', 200000) from range(1000)")
        assert answer["truncated"]
        assert sum(len(row[0]) for row in answer["rows"]) <= 2**24


def test_too_much_memory_is_an_error_of_the_question(store: Store) -> None:
    """A question that needs more memory than there is fails alone."""
    with pytest.raises(BadSql, match=r"(?i)memory|longer than"):
        rows_of(store, "select list(a.range || b.range) from range(100000) a, range(100000) b")
    assert one_of(store, "1") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels keep no such limit")
@pytest.mark.parametrize(
    "expression",
    [
        "repeat('x', 3000000000)",
        "length(repeat('x', (3000000000 + range)::bigint)) from range(3)",
        "length(repeat('x', 1000000 + range)) from range(2000)",
        "length(replace(replace(repeat('x', 100000), 'x', repeat('y', 1000)), 'y', '1234567'))",
        "length(rpad('x', 2000000000, 'y'))",
        "length(string_agg(repeat('x', 1000000) || range, '')) from range(3000)",
        "len(range(1000000000))",
    ],
)
def test_a_text_that_would_fill_the_memory_is_an_error_of_the_question(
    store: Store, expression: str
) -> None:
    """The process never has it: how much it takes at most stays within bounds, and so do the
    questions after it, and the limit is gone when it is answered."""
    clear_refs = Path("/proc/self/clear_refs")
    clear_refs.write_text("5")  # from here on VmHWM is the most that is in memory
    before = resident_mb("VmRSS")
    with pytest.raises(BadSql, match=r"more memory than it may use|longer than"):
        rows_of(store, "select " + expression)
    assert resident_mb("VmHWM") - before < 700
    assert one_of(store, "repeat('x', 1000)") == "x" * 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    assert soft == hard


def resident_mb(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


@pytest.mark.parametrize(
    ("sql", "line", "above"),
    [
        ("select colour from spans", 1, "colour"),
        ("select *\nfrom spanz", 2, "spanz"),
        ("select 1 as a,\n" + "\n" * 8 + "  colour\nfrom spans", 10, "colour"),
        ("select 1 as a,\n" + "\n" * 7 + "  colour\nfrom spans", 9, "colour"),
        ("select 1\nfrom traces group sorted", 2, "sorted"),
    ],
)
def test_a_mistake_is_shown_in_the_line_where_it_was_written(
    store: Store, sql: str, line: int, above: str
) -> None:
    """DuckDB's message counts the question's own lines, and its caret is under the mistake."""
    with pytest.raises(BadSql) as refused:
        rows_of(store, sql)
    *_, shown, caret = str(refused.value).splitlines()
    assert shown.startswith(f"LINE {line}: ")
    assert shown[caret.index("^") :].startswith(above)


def test_ask_over_http(running: Running) -> None:
    """The API answers with columns and rows, and refuses with DuckDB's words."""
    running.send(purchase("order-1"))
    answer = running.http.post("/api/ask", json={"sql": "select order_id from traces"})
    assert answer.status_code == 200
    assert answer.json()["columns"] == [{"name": "order_id", "type": "VARCHAR"}]
    assert answer.json()["rows"] == [["order-1"]]
    wrong = running.http.post("/api/ask", json={"sql": "select colour from spans"})
    assert wrong.status_code == 400
    assert wrong.json()["error"]["code"] == "bad_sql"
    assert '"colour" not found' in wrong.json()["error"]["message"]
    form = running.http.post("/api/ask", content=b'{"sql": "select 1"}')
    assert "application/json" in form.json()["error"]["message"]
    wrong_bodies: list[Any] = [{"sql": 1}, {"sql": "select 1", "limit": 0}, [], {"limit": 3}]
    for body in wrong_bodies:
        assert running.http.post("/api/ask", json=body).status_code == 400
    large = running.http.post("/api/ask", json={"sql": "x" * (2**20)})
    assert large.status_code == 413
