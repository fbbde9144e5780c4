"""SQL queries: their results, that they are read-only, and their limits."""

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


def value_of(store: Store, expression: str) -> Any:
    ((value,),) = rows_of(store, "select " + expression)
    return value


def test_spans_have_hexadecimal_ids_times_and_attributes(store: Store) -> None:
    """Spans can be selected by attribute and compared with times and intervals."""
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
    """The views traces, hops and logs match the explorer's view of the same purchases."""
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


def test_every_column_is_described_and_every_example_runs(store: Store) -> None:
    """The documented columns are those of the views, in the same order."""
    with store.reader() as reader:
        schema = schema_of(reader)
        for view, documented in zip(views_of(BOX_OFFICE.promotions), schema["views"], strict=True):
            columns = reader.execute(f"describe {view.name}").fetchall()
            assert [(row[0], row[1]) for row in columns] == [
                (column["name"], column["type"]) for column in documented["columns"]
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
def test_values_are_returned_as_json_values(store: Store, expression: str, value: Any) -> None:
    """Values that JSON or JavaScript cannot represent become strings; nested values become JSON."""
    assert value_of(store, expression) == value


def test_a_time_with_a_zone_is_returned_as_text(store: Store) -> None:
    """This holds for now() and the times of the views, in any time zone of the machine."""
    assert value_of(store, "now()").startswith("20")
    assert rows_of(store, "select max(start_time) from spans")[0][0].startswith("20")


def test_describe_summarize_explain_and_show_are_allowed(store: Store) -> None:
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
    # settings, transactions and similar
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
    # several statements, none, and invalid SQL
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
def test_only_reading_is_possible(store: Store, sql: str) -> None:
    """Files, writes, settings and several statements are refused, and no stored row changes."""
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
def test_an_endless_query_is_interrupted(store: Store, sql: str) -> None:
    """It ends after its time limit, and the next query runs."""
    started = time.monotonic()
    with pytest.raises(BadSql, match=r"took longer than 0\.3 s"):
        rows_of(store, sql, seconds=0.3)
    assert time.monotonic() - started < 8
    assert value_of(store, "1") == 1


def test_rows_and_texts_are_limited(store: Store) -> None:
    """There are at most ``limit`` rows, and large values cannot exceed the size limit."""
    with store.reader() as reader:
        response = answer_of(reader, "select * from range(100)", limit=10)
        assert (len(response["rows"]), response["truncated"]) == (10, True)
        response = answer_of(reader, "select * from range(10)", limit=10)
        assert (len(response["rows"]), response["truncated"]) == (10, False)
        response = answer_of(reader, "select repeat('x', 200000) from range(1000)")
        assert response["truncated"]
        assert sum(len(row[0]) for row in response["rows"]) <= 2**24


def test_a_query_that_needs_too_much_memory_fails_alone(store: Store) -> None:
    """The next query runs."""
    with pytest.raises(BadSql, match=r"(?i)memory|longer than"):
        rows_of(store, "select list(a.range || b.range) from range(100000) a, range(100000) b")
    assert value_of(store, "1") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels have no such limit")
@pytest.mark.parametrize(
    "expression",
    [
        "repeat('x', 3000000000)",
        "length(repeat('x', (3000000000 + range)::bigint)) from range(3)",
        "length(repeat('x', 1000000 + range)) from range(2000)",
        "length(replace(replace(repeat('x', 100000), 'x', repeat('y', 1000)), 'y', '1234567'))",
        pytest.param("length(rpad('x', 2000000000, 'y'))", marks=pytest.mark.long),
        "length(string_agg(repeat('x', 1000000) || range, '')) from range(3000)",
        "len(range(1000000000))",
    ],
)
def test_a_query_that_allocates_a_huge_text_fails_alone(store: Store, expression: str) -> None:
    """The peak memory stays within limits, later queries run, and the limit is lifted again."""
    clear_refs = Path("/proc/self/clear_refs")
    clear_refs.write_text("5")  # resets VmHWM, the peak memory
    before = resident_mb("VmRSS")
    with pytest.raises(BadSql, match=r"more memory than it may use|longer than"):
        rows_of(store, "select " + expression)
    assert resident_mb("VmHWM") - before < 700
    assert value_of(store, "repeat('x', 1000)") == "x" * 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    assert soft == hard


def resident_mb(name: str) -> int:
    match = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return int(match[1]) // 1024


@pytest.mark.parametrize(
    ("sql", "line", "mistake"),
    [
        ("select colour from spans", 1, "colour"),
        ("select *\nfrom spanz", 2, "spanz"),
        ("select 1 as a,\n" + "\n" * 8 + "  colour\nfrom spans", 10, "colour"),
        ("select 1 as a,\n" + "\n" * 7 + "  colour\nfrom spans", 9, "colour"),
        ("select 1\nfrom traces group sorted", 2, "sorted"),
    ],
)
def test_an_error_names_the_line_of_the_users_sql(
    store: Store, sql: str, line: int, mistake: str
) -> None:
    """The line is counted in the user's SQL, and the caret is below the mistake."""
    with pytest.raises(BadSql) as refused:
        rows_of(store, sql)
    *_, source_line, caret = str(refused.value).splitlines()
    assert source_line.startswith(f"LINE {line}: ")
    assert source_line[caret.index("^") :].startswith(mistake)


def test_the_api_runs_queries_and_returns_duckdbs_errors(running: Running) -> None:
    """Invalid bodies and content types are refused, too."""
    running.send(purchase("order-1"))
    response = running.http.post("/api/ask", json={"sql": "select order_id from traces"})
    assert response.status_code == 200
    assert response.json()["columns"] == [{"name": "order_id", "type": "VARCHAR"}]
    assert response.json()["rows"] == [["order-1"]]
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
