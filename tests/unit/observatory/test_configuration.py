"""The app's configuration: promoted attributes, example queries, and errors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from observatory.compare.digest import digests
from observatory.configuration import BadConfiguration, Configuration, read_configuration
from observatory.store.promotions import NO_PROMOTIONS, Promotion, Promotions
from tests.unit.observatory.box_office import BOX_OFFICE
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import purchase
from tests.unit.observatory.test_store import observatory_command

ORDER = {
    "column": "order_id",
    "attribute": "boxoffice.order.id",
    "key": "order",
    "description": "the order it is about",
    "role": "subject",
}
TOPIC = Promotion(
    "topic", "messaging.destination.name", "topic", "the topic", "the first topic", "subject"
)
PROMOTED = {"order_id", "order_state"}


def columns_of(running: Running, view: str) -> set[str]:
    """Return the documented columns of a view, which must be its actual columns."""
    (documented,) = [
        each for each in running.http.get("/api/ask/schema").json()["views"] if each["name"] == view
    ]
    result = running.client.ask(f"select * from {view} limit 0")  # noqa: S608
    assert [column["name"] for column in result["columns"]] == [
        column["name"] for column in documented["columns"]
    ]
    return {column["name"] for column in documented["columns"]}


def test_the_box_office_promotes_its_orders(running: Running) -> None:
    """Its configuration adds columns, JSON fields, filter keys and example queries."""
    trace = purchase("order-1")
    running.send(trace)
    for view in ("spans", "traces"):
        assert columns_of(running, view) >= PROMOTED
    (line,) = running.client.traces()["traces"]
    assert (line["order_id"], line["order_state"]) == ("order-1", "ticketed")
    assert running.client.traces(text="order = order-1 and state = ticketed")["total"] == 1
    assert running.client.ask_schema()["examples"][0] == BOX_OFFICE.examples[0]


def test_without_a_configuration_no_attribute_is_promoted(start: Callable[..., Running]) -> None:
    """No response has a field, column, key or example of the Box Office."""
    running = start(configuration=Configuration())
    trace = purchase("order-1")
    running.send(trace)
    for view in ("spans", "traces", "hops"):
        assert not columns_of(running, view) & PROMOTED
    (line,) = running.client.traces()["traces"]
    journey = running.client.trace(trace.trace_id.hex())
    diff = running.client.diff(trace.trace_id.hex(), trace.trace_id.hex())
    for response in (line, journey, diff["left"]):
        assert not response.keys() & PROMOTED
    assert "to its last span" in journey["headline"]
    keys = {key["key"] for key in running.http.get("/api/keys").json()["keys"]}
    assert not keys & {"order", "state"}
    assert {"boxoffice.order.id", "boxoffice.order.state"} <= keys
    assert running.client.traces(text="boxoffice.order.id = order-1")["total"] == 1
    assert running.client.traces(subject="order-1")["total"] == 0
    assert running.http.get("/api/heatmap").json()["orders"] == 0
    assert "order" not in json.dumps(running.client.ask_schema()["examples"]).replace(
        "order by", ""
    )


def test_columns_are_rebuilt_when_the_promoted_attributes_change(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """They are filled from the stored attributes, and later spans fill them too."""
    data = tmp_path / "other.duckdb"
    running = start(data, configuration=Configuration())
    running.send(purchase("order-1"))
    running.stop()
    running = start(data)
    running.send(purchase("order-2"))
    by_order = "select order_id, order_state from traces order by order_id"
    both = [["order-1", "ticketed"], ["order-2", "ticketed"]]
    assert running.client.ask(by_order)["rows"] == both
    assert running.client.traces(text="order = order-1")["total"] == 1
    without_state = running.client.ask("select count(*) from spans where order_state is null")[
        "rows"
    ]
    running.stop()
    running = start(data, configuration=Configuration(Promotions((TOPIC,))))
    assert not columns_of(running, "spans") & PROMOTED
    topics = running.client.ask("select topic, count(*) from spans group by all")["rows"]
    by_attribute = "select attributes['messaging.destination.name'], count(*) from spans group by 1"
    assert sorted(topics, key=str) == sorted(running.client.ask(by_attribute)["rows"], key=str)
    assert len(topics) > 2
    assert all(line.get("topic") for line in running.client.traces()["traces"])
    running.stop()
    running = start(data)
    assert running.client.ask(by_order)["rows"] == both
    rebuilt = running.client.ask("select count(*) from spans where order_state is null")["rows"]
    assert rebuilt == without_state


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "is not JSON"),
        ([], "must be an object"),
        ({"promoted": []}, "'promoted' is unknown: use examples, final_states, outcomes, promote"),
        ({"promote": {}}, "promote is {}: it must be a list"),
        ({"promote": [{**ORDER, "column": "order id"}]}, "'order id' is not a column name"),
        ({"promote": [{**ORDER, "column": "duration_ms"}]}, "column duration_ms already exists"),
        ({"promote": [{**ORDER, "column": "headline"}]}, "column headline already exists"),
        ({"promote": [{**ORDER, "key": "service"}]}, "filter key service already exists"),
        ({"promote": [{**ORDER, "key": "not"}]}, "filter key not already exists"),
        ({"promote": [{**ORDER, "key": "Order!"}]}, "'Order!' is not a filter key"),
        (
            {"promote": [{**ORDER, "attribute": ""}]},
            "attribute is '': it must be a non-empty string",
        ),
        ({"promote": [{**ORDER, "attribute": "service.name"}]}, "already has a column"),
        ({"promote": [{**ORDER, "role": "owner"}]}, "it must be subject or state, or absent"),
        ({"promote": [{**ORDER, "column": "order"}]}, "its name must end in _id"),
        ({"promote": [ORDER, ORDER]}, "the column order_id occurs twice"),
        ({"examples": [{"question": "Why?"}]}, "examples[0]: sql is None"),
        ({"final_states": ["paid"]}, "final_states is ['paid']: it must be an object"),
        (
            {"final_states": {"paid": "great"}},
            "final_states: paid is 'great': it must be good, warn or bad",
        ),
        ({"outcomes": ["a", 1]}, "outcomes[1] is 1: it must be the key of an attribute"),
    ],
)
def test_an_invalid_configuration_is_refused(tmp_path: Path, document: Any, message: str) -> None:
    """The error is one line with the file, the entry and what to write instead."""
    path = tmp_path / "observatory.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(BadConfiguration) as refused:
        read_configuration(path)
    assert message in str(refused.value)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_a_missing_configuration_file_ends_the_command(tmp_path: Path) -> None:
    """It exits with 1 and one line on stderr, and creates no database."""
    path = tmp_path / "gone.json"
    data = tmp_path / "spans.duckdb"
    refused: Any = observatory_command("--config", str(path), "--data", str(data), "--port", "0")
    assert refused.returncode == 1
    assert refused.stderr == f"observatory: {path} cannot be read: No such file or directory.\n"
    assert not data.exists()


def test_a_promoted_attribute_that_no_span_has_is_reported_once(
    start: Callable[..., Running], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message suggests a similar attribute, once there are enough spans."""
    monkeypatch.setattr(digests, "PROMOTIONS_CHECK_SPANS", 20)
    mistaken = Promotion("order_id", "boxoffice.order.idd", "order", "an order", "an order")
    running = start(configuration=Configuration(Promotions((mistaken,))))
    for number in range(3):
        running.send(purchase(f"order-{number}"))
        running.client.traces()
    messages = [each.message for each in caplog.records if "boxoffice" in each.message]
    assert messages == [
        "boxoffice.order.idd is promoted to order_id, but no stored span has it: "
        "did you mean boxoffice.order.id?"
    ]


def test_any_text_can_be_the_key_of_a_promoted_attribute(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """Keys are quoted in SQL, including their quotes."""
    path = tmp_path / "observatory.json"
    entry = {**ORDER, "column": "select", "attribute": 'it\'s "odd"', "key": "select", "role": None}
    path.write_text(json.dumps({"promote": [entry]}))
    running = start(configuration=read_configuration(path))
    running.send(purchase("order-1"))
    assert running.client.ask('select count("select") from spans')["rows"] == [[0]]
    assert running.client.traces(text="select exists")["total"] == 0
    assert NO_PROMOTIONS.fields("a", "b") == {}
