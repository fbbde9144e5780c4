"""The API's description of itself, held to its routes and to what they answer."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from observatory import api
from observatory.api import openapi
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import purchase

ROOT = Path(__file__).parents[3]
Schema = dict[str, Any]

# A question for each GET, about a stored purchase; {trace} is its id.
QUESTIONS = (
    "/api/openapi.json",
    "/api/health",
    "/api/traces",
    "/api/traces?q=duration > 1 ms&sort=duration&order=asc&last=1e9&limit=1",
    "/api/heatmap",
    "/api/compare?in=duration > 1 ms",
    "/api/keys",
    "/api/values?key=service",
    "/api/map",
    "/api/traces/{trace}",
    "/api/traces/{trace}/unusual",
    "/api/diff/{trace}/{trace}",
    "/api/coverage",
    "/api/logs?limit=2",
    "/api/metrics",
    "/api/metrics/series?name=http.server.request.duration&service=page",
    "/api/ask/schema",
    "/api/storage",
    "/api/faults",
    "/api/export?trace={trace}",
    "/api/export",
)
# What is posted and put, and the status of the answer where no app's faults are known.
ORDERS: tuple[tuple[str, str, Any, int], ...] = (
    ("post", "/api/ask", {"sql": "select * from spans", "limit": 2}, 200),
    ("post", "/api/ask", {"sql": "delete from spans"}, 400),
    ("post", "/api/import", {"resourceSpans": []}, 200),
    ("post", "/api/import", {"data": [], "total": 0, "limit": 0, "errors": None}, 200),
    ("post", "/api/import", {"nothing": "known"}, 400),
    ("post", "/api/clear", {"confirm": "clear"}, 200),
    ("post", "/api/clear", {}, 400),
    ("put", "/api/faults", {"on": False}, 409),
    ("put", "/api/faults/retry-storm", {"on": True}, 409),
    ("put", "/api/faults/retry-storm", {"on": "perhaps"}, 400),
)


def validator(document: dict[str, Any], schema: Schema) -> Draft202012Validator:
    """Validates against a schema whose references lead into the description.

    Properties that are not described are invalid.
    """
    return Draft202012Validator(closed({**schema, "components": document["components"]}))


def closed(schema: Any) -> Any:
    """The schema, in which objects with properties have no others."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: closed(each) for name, each in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        result.setdefault("additionalProperties", False)
    return result


def template_of(document: dict[str, Any], path: str) -> str:
    """The path as it is described; of several the one with the fewest variable parts."""
    fitting: list[str] = [
        template
        for template in document["paths"]
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    ]
    return min(fitting, key=lambda template: template.count("{"))


def described(document: dict[str, Any], path: str, method: str = "get") -> dict[str, Any]:
    """The operation that answers ``path``."""
    operation: dict[str, Any] = document["paths"][template_of(document, path)][method]
    return operation


def test_every_route_is_described_and_every_description_is_a_route(running: Running) -> None:
    """The paths and methods of the description are those that the API answers."""
    document = running.http.get("/api/openapi.json").json()
    told = {
        (path, method.upper()) for path, methods in document["paths"].items() for method in methods
    }
    answered = {
        (route.path, method)
        for route in api.ROUTES
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert told == answered


def test_a_question_is_tested_for_each_path(running: Running) -> None:
    """Those below leave no GET out, and no POST or PUT."""
    document = running.http.get("/api/openapi.json").json()
    asked = {("get", question.partition("?")[0]) for question in QUESTIONS}
    asked |= {(method, path) for method, path, _, _ in ORDERS}
    tested = {(method, template_of(document, path)) for method, path in asked}
    assert tested == {
        (method, path) for path, methods in document["paths"].items() for method in methods
    }


def test_what_varies_in_a_path_is_described(running: Running) -> None:
    """Each part of a path in braces is a parameter, and no operation shares its id."""
    document = running.http.get("/api/openapi.json").json()
    ids = set()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), path
            ids.add(operation["operationId"])
    assert len(ids) == sum(len(methods) for methods in document["paths"].values())


def test_answers_are_as_described(running: Running) -> None:
    """What the API answers about a real trace, with nothing left out and nothing more, is valid."""
    trace = purchase("order-1")
    running.send(trace)
    document = running.http.get("/api/openapi.json").json()
    for question in QUESTIONS:
        answer = running.http.get(question.format(trace=trace.trace_id.hex()))
        assert answer.status_code == 200, answer.text
        content = described(document, answer.url.path)["responses"]["200"]["content"]
        validator(document, content["application/json"]["schema"]).validate(answer.json())


def test_orders_are_answered_as_described(running: Running) -> None:
    """Taken or refused; and a body that is taken is one that the description allows."""
    running.send(purchase("order-1"))
    document = running.http.get("/api/openapi.json").json()
    for method, path, body, status in ORDERS:
        answer = running.http.request(method, path, json=body)
        assert answer.status_code == status, (path, body, answer.text)
        operation = described(document, path, method)
        content = operation["responses"][str(status)]["content"]
        validator(document, content["application/json"]["schema"]).validate(answer.json())
        if status == 200:
            wanted = operation["requestBody"]["content"]["application/json"]["schema"]
            validator(document, wanted).validate(body)


def test_what_has_to_be_named_is_described_so(running: Running) -> None:
    """Without it the question is refused."""
    document = running.http.get("/api/openapi.json").json()
    for path, parameter in (
        ("/api/values", "key"),
        ("/api/metrics/series?service=page", "name"),
        ("/api/metrics/series?name=x", "service"),
    ):
        known = described(document, path.partition("?")[0])["parameters"]
        assert next(one for one in known if one["name"] == parameter)["required"]
        assert running.http.get(path).status_code == 400


def test_limits_are_those_of_the_answers(running: Running) -> None:
    """What a number or a pattern forbids is refused, and what it just allows is not."""
    document = running.http.get("/api/openapi.json").json()
    for path in ("/api/traces", "/api/logs", "/api/heatmap"):
        for parameter in described(document, path)["parameters"]:
            schema, name = parameter["schema"], parameter["name"]
            for bound, beyond in (("minimum", -1), ("maximum", 1)):
                if bound in schema:
                    asked = {name: schema[bound] + beyond}
                    assert running.http.get(path, params=asked).status_code == 400, asked
                    asked = {name: schema[bound]}
                    assert running.http.get(path, params=asked).status_code == 200, asked
            if "pattern" in schema:
                assert running.http.get(path, params={name: "no such"}).status_code == 400, name


def test_a_method_that_a_path_lacks_is_refused_with_those_it_has(running: Running) -> None:
    """405 with `Allow`, though another route has the same path."""
    for path, allowed in (("/api/ask", "POST"), ("/api/faults", "GET, HEAD, PUT")):
        answer = running.http.delete(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.json()["error"]["code"] == "method_not_allowed"


def test_refusals_are_as_described(running: Running) -> None:
    """A refusal has the shape that the description gives for its status."""
    document = running.http.get("/api/openapi.json").json()
    for path, status in (("/api/traces/12", 400), (f"/api/traces/{'ab' * 16}", 404)):
        answer = running.http.get(path)
        assert answer.status_code == status
        responses = document["paths"]["/api/traces/{trace_id}"]["get"]["responses"]
        schema = responses[str(status)]["content"]["application/json"]["schema"]
        validator(document, schema).validate(answer.json())


def test_the_command_prints_the_description_without_a_server(running: Running) -> None:
    """The same document that a running Observatory answers with."""
    printed = subprocess.run(
        [sys.executable, "-m", "observatory.api"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(printed.stdout) == running.http.get("/api/openapi.json").json()
    assert printed.stderr == ""


def test_types_for_other_languages_can_be_made_of_the_description() -> None:
    """Required fields, null, choices, pairs and nested records are told as JSON Schema has them."""
    schemas = openapi.document()["components"]["schemas"]
    line, edge, row = schemas["TraceLine"], schemas["MapEdge"], schemas["Row"]
    assert "trace_id" in line["required"]
    assert not {"order_id", "order_state"} & set(line["required"])
    assert line["properties"]["order_id"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert {"from", "to"} <= set(edge["required"])
    assert row["properties"]["party"]["enum"] == ["page", "rules", "function", "vendor"]
    assert row["properties"]["events"]["items"] == {"$ref": "#/components/schemas/Event"}
    points = schemas["Series"]["properties"]["points"]["items"]
    assert (len(points["prefixItems"]), points["minItems"], points["maxItems"]) == (2, 2, 2)
    question = openapi.document()["paths"]["/api/ask"]["post"]["requestBody"]
    limit = question["content"]["application/json"]["schema"]["properties"]["limit"]
    assert (limit["minimum"], limit["maximum"]) == (1, 10_000)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/traces?limit=1_0", "limit is '1_0': it is a number from 1 to 500."),
        ("/api/traces?limit=+5", "limit is ' 5': it is a number from 1 to 500."),
        ("/api/traces?sort=size", "sort is 'size': it is one of start, duration, spans, errors."),
        ("/api/traces?cursor=7", "cursor is '7': it is the next_cursor of an answer."),
        ("/api/traces?from=nan", "from is 'nan': it is a number from 0 to 9223372036854."),
        ("/api/traces?last=5&to=9", "last stands instead of from and to: leave it out, or both"),
        ("/api/traces/12", "'12' is no trace id: it has 32 hexadecimal digits."),
        ("/api/export?trace=12", "'12' is no trace id: it has 32 hexadecimal digits."),
        ("/api/logs?before=x", "before is 'x': it is the next of an answer, or a time_unix_nano."),
        ("/api/logs?before=1&after=2", "before and after are two questions: leave one out."),
        ("/api/values", "key is missing: The key, as /api/keys lists it."),
        ("/api/keys?q=x", "There is no parameter 'q': known are prefix."),
        ("/api/metrics?q=x", "There is no parameter 'q': this takes none."),
    ],
)
def test_a_wrong_parameter_is_named_with_its_value_and_what_would_be_right(
    running: Running, path: str, message: str
) -> None:
    """Whatever the library that checks them says."""
    answer = running.http.get(path)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"
    assert answer.json()["error"]["message"].startswith(message)


def test_an_empty_parameter_counts_as_absent(running: Running) -> None:
    """As forms send them."""
    assert running.http.get("/api/traces?q=&from=&limit=&cursor=&subject=").status_code == 200
    assert running.http.get("/api/values?key=").status_code == 400


def test_head_is_answered_where_get_is(running: Running) -> None:
    """With the same headers, and without a body."""
    answer = running.http.head("/api/health")
    assert (answer.status_code, answer.content) == (200, b"")
