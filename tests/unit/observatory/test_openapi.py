"""The OpenAPI document matches the API's routes and their responses."""

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

# A URL for each GET; {trace} is the id of a stored purchase.
GET_URLS = (
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
# Requests with a body, and the status of the response of an Observatory without an app's faults.
REQUESTS_WITH_BODY: tuple[tuple[str, str, Any, int], ...] = (
    ("post", "/api/ask", {"sql": "select * from spans", "limit": 2}, 200),
    ("post", "/api/ask", {"sql": "delete from spans"}, 400),
    ("post", "/api/import", {"resourceSpans": []}, 200),
    ("post", "/api/import", {"data": [], "total": 0, "limit": 0, "errors": None}, 200),
    ("post", "/api/import", {"unknown": "format"}, 400),
    ("post", "/api/clear", {"confirm": "clear"}, 200),
    ("post", "/api/clear", {}, 400),
    ("put", "/api/faults", {"on": False}, 409),
    ("put", "/api/faults/retry-storm", {"on": True}, 409),
    ("put", "/api/faults/retry-storm", {"on": "perhaps"}, 400),
)


def validator(document: dict[str, Any], schema: Schema) -> Draft202012Validator:
    """Return a validator for a schema of the document.

    Properties that the schema does not name are invalid.
    """
    return Draft202012Validator(closed({**schema, "components": document["components"]}))


def closed(schema: Any) -> Any:
    """Return the schema with additional properties forbidden."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: closed(each) for name, each in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        result.setdefault("additionalProperties", False)
    return result


def template_of(document: dict[str, Any], path: str) -> str:
    """Return the document's path that matches, with the fewest parameters if there are several."""
    matching: list[str] = [
        template
        for template in document["paths"]
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    ]
    return min(matching, key=lambda template: template.count("{"))


def operation_of(document: dict[str, Any], path: str, method: str = "get") -> dict[str, Any]:
    """Return the document's operation for a request."""
    operation: dict[str, Any] = document["paths"][template_of(document, path)][method]
    return operation


def test_the_document_has_exactly_the_routes_of_the_api(running: Running) -> None:
    """The paths and methods of the document are those of the routes."""
    document = running.http.get("/api/openapi.json").json()
    documented = {
        (path, method.upper()) for path, methods in document["paths"].items() for method in methods
    }
    routes = {
        (route.path, method)
        for route in api.ROUTES
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert documented == routes


def test_every_operation_has_a_request_in_the_tests_below(running: Running) -> None:
    """No GET, POST or PUT of the document is left out."""
    document = running.http.get("/api/openapi.json").json()
    requests = {("get", url.partition("?")[0]) for url in GET_URLS}
    requests |= {(method, path) for method, path, _, _ in REQUESTS_WITH_BODY}
    tested = {(method, template_of(document, path)) for method, path in requests}
    assert tested == {
        (method, path) for path, methods in document["paths"].items() for method in methods
    }


def test_path_parameters_are_described(running: Running) -> None:
    """Each name in braces is a parameter, and operation ids are unique."""
    document = running.http.get("/api/openapi.json").json()
    ids = set()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            parameters = operation.get("parameters", [])
            names = {each["name"] for each in parameters if each["in"] == "path"}
            assert names == set(re.findall(r"{(\w+)}", path)), path
            ids.add(operation["operationId"])
    assert len(ids) == sum(len(methods) for methods in document["paths"].values())


def test_get_responses_match_their_schemas(running: Running) -> None:
    """Responses about a real trace have the properties that are documented, and no others."""
    trace = purchase("order-1")
    running.send(trace)
    document = running.http.get("/api/openapi.json").json()
    for url in GET_URLS:
        response = running.http.get(url.format(trace=trace.trace_id.hex()))
        assert response.status_code == 200, response.text
        content = operation_of(document, response.url.path)["responses"]["200"]["content"]
        validator(document, content["application/json"]["schema"]).validate(response.json())


def test_requests_with_a_body_and_their_responses_match_their_schemas(running: Running) -> None:
    """Responses match the schema of their status, and accepted bodies match the body's schema."""
    running.send(purchase("order-1"))
    document = running.http.get("/api/openapi.json").json()
    for method, path, body, status in REQUESTS_WITH_BODY:
        response = running.http.request(method, path, json=body)
        assert response.status_code == status, (path, body, response.text)
        operation = operation_of(document, path, method)
        content = operation["responses"][str(status)]["content"]
        validator(document, content["application/json"]["schema"]).validate(response.json())
        if status == 200:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            validator(document, schema).validate(body)


def test_required_parameters_are_documented_as_required(running: Running) -> None:
    """A request without one is answered with 400."""
    document = running.http.get("/api/openapi.json").json()
    for path, parameter in (
        ("/api/values", "key"),
        ("/api/metrics/series?service=page", "name"),
        ("/api/metrics/series?name=x", "service"),
    ):
        parameters = operation_of(document, path.partition("?")[0])["parameters"]
        assert next(each for each in parameters if each["name"] == parameter)["required"]
        assert running.http.get(path).status_code == 400


def test_documented_limits_are_enforced(running: Running) -> None:
    """Values just outside a limit and values that do not match a pattern are rejected."""
    document = running.http.get("/api/openapi.json").json()
    for path in ("/api/traces", "/api/logs", "/api/heatmap"):
        for parameter in operation_of(document, path)["parameters"]:
            schema, name = parameter["schema"], parameter["name"]
            for bound, beyond in (("minimum", -1), ("maximum", 1)):
                if bound in schema:
                    query = {name: schema[bound] + beyond}
                    assert running.http.get(path, params=query).status_code == 400, query
                    query = {name: schema[bound]}
                    assert running.http.get(path, params=query).status_code == 200, query
            if "pattern" in schema:
                assert running.http.get(path, params={name: "no such"}).status_code == 400, name


def test_an_unsupported_method_is_answered_with_the_supported_ones(running: Running) -> None:
    """405 with all methods in `Allow`, also when several routes have the same path."""
    for path, allowed in (("/api/ask", "POST"), ("/api/faults", "GET, HEAD, PUT")):
        response = running.http.delete(path)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)
        assert response.json()["error"]["code"] == "method_not_allowed"


def test_error_responses_match_their_schemas(running: Running) -> None:
    """An error response matches the schema that the document has for its status."""
    document = running.http.get("/api/openapi.json").json()
    for path, status in (("/api/traces/12", 400), (f"/api/traces/{'ab' * 16}", 404)):
        response = running.http.get(path)
        assert response.status_code == status
        responses = document["paths"]["/api/traces/{trace_id}"]["get"]["responses"]
        schema = responses[str(status)]["content"]["application/json"]["schema"]
        validator(document, schema).validate(response.json())


def test_the_command_prints_the_document_without_a_server(running: Running) -> None:
    """It prints the same document as a running Observatory serves."""
    printed = subprocess.run(
        [sys.executable, "-m", "observatory.api"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(printed.stdout) == running.http.get("/api/openapi.json").json()
    assert printed.stderr == ""


def test_the_schemas_have_the_details_of_the_types() -> None:
    """Required fields, null, literals, tuples and nested types are in the JSON Schemas."""
    schemas = openapi.document()["components"]["schemas"]
    line, edge, row = schemas["TraceLine"], schemas["MapEdge"], schemas["Row"]
    assert "trace_id" in line["required"]
    assert not {"order_id", "order_state"} & set(line["required"])
    assert line["properties"]["order_id"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert {"from", "to"} <= set(edge["required"])
    parties = ["page", "rules", "function", "vendor", "service"]
    assert row["properties"]["party"]["enum"] == parties
    assert row["properties"]["events"]["items"] == {"$ref": "#/components/schemas/SpanEvent"}
    points = schemas["Series"]["properties"]["points"]["items"]
    assert (len(points["prefixItems"]), points["minItems"], points["maxItems"]) == (2, 2, 2)
    question = openapi.document()["paths"]["/api/ask"]["post"]["requestBody"]
    limit = question["content"]["application/json"]["schema"]["properties"]["limit"]
    assert (limit["minimum"], limit["maximum"]) == (1, 10_000)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/traces?limit=1_0", "limit is '1_0': it must be a number from 1 to 500."),
        ("/api/traces?limit=+5", "limit is ' 5': it must be a number from 1 to 500."),
        (
            "/api/traces?sort=size",
            "sort is 'size': it must be one of start, duration, spans, errors.",
        ),
        ("/api/traces?cursor=7", "cursor is '7': it must be the next_cursor of a response."),
        ("/api/traces?from=nan", "from is 'nan': it must be a number from 0 to 9223372036854."),
        ("/api/traces?last=5&to=9", "last excludes from and to: give either last, or from and to."),
        ("/api/traces/12", "'12' is not a trace id: it must have 32 hexadecimal digits."),
        ("/api/export?trace=12", "'12' is not a trace id: it must have 32 hexadecimal digits."),
        (
            "/api/logs?before=x",
            "before is 'x': it must be the next of a response, or a time_unix_nano.",
        ),
        ("/api/logs?before=1&after=2", "before and after exclude each other: give one of them."),
        ("/api/values", "key is missing: The key, as /api/keys lists it."),
        ("/api/keys?q=x", "There is no parameter 'q': known are prefix."),
        ("/api/metrics?q=x", "There is no parameter 'q': this path has none."),
    ],
)
def test_an_error_names_the_parameter_its_value_and_the_valid_values(
    running: Running, path: str, message: str
) -> None:
    """The messages are the API's own, not those of the validation library."""
    response = running.http.get(path)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "bad_request"
    assert response.json()["error"]["message"].startswith(message)


def test_an_empty_parameter_counts_as_absent(running: Running) -> None:
    """HTML forms send empty parameters."""
    assert running.http.get("/api/traces?q=&from=&limit=&cursor=&subject=").status_code == 200
    assert running.http.get("/api/values?key=").status_code == 400


def test_head_is_supported_wherever_get_is(running: Running) -> None:
    """HEAD is answered with 200 and without a body."""
    response = running.http.head("/api/health")
    assert (response.status_code, response.content) == (200, b"")
