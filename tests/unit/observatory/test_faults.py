"""The API of the fault flags: listing faults, and turning them on and off.

Firestore is a fake here, so that it can fail in various ways; tests/journey uses the real emulator.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from observatory.feature_flags.catalogue import BadCatalogue, read_catalogue
from observatory.feature_flags.fault_flags import read_fault_flags
from tests.unit.local_server import LocalServer, ReceivedRequest, free_port, serving
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.test_store import observatory_command

COLLECTION = "/v1/projects/demo/databases/(default)/documents/flags"
APP = "http://127.0.0.1:5002"
PAGE_FAULT = "looks-empty"


def catalogue_entry(name: str, **changes: Any) -> dict[str, Any]:
    """Return a fault as an entry of the catalogue."""
    fault = {
        "name": name,
        "kind": "reads",
        "where": "quote",
        "summary": "reads too much",
        "scenarios": ["n-plus-one"],
        "address": None,
    }
    return {**fault, **changes}


CATALOGUE = [
    catalogue_entry("reads-all"),
    catalogue_entry("no-key", kind="delivery"),
    catalogue_entry(PAGE_FAULT, where="page", address=f"/?fault={PAGE_FAULT}"),
]


class Firestore:
    """A fake of the part of Firestore's REST API that the flags use."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.status = 200
        self.page_size: int | None = None

    def respond(self, request: ReceivedRequest) -> int | tuple[int, bytes, dict[str, str]]:
        """Respond to one request."""
        url = urlsplit(request.path)
        query = parse_qs(url.query)
        assert request.headers["authorization"] == "Bearer owner"
        if self.status != 200:
            return self.status
        if request.method == "GET":
            assert url.path == COLLECTION
            return 200, json.dumps(self._page(query)).encode(), {}
        name = url.path.removeprefix(f"{COLLECTION}/")
        if "currentDocument.exists" in query and name not in self.documents:
            return 404
        assert query["updateMask.fieldPaths"] == ["on"]
        self.documents.setdefault(name, {}).update(json.loads(request.body)["fields"])
        return 200, b"{}", {}

    def _page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        names = sorted(self.documents)
        first = int(query.get("pageToken", ["0"])[0])
        end = first + (self.page_size or int(query["pageSize"][0]))
        documents = [
            {"name": f"projects/demo/{name}", "fields": self.documents[name]}
            for name in names[first:end]
        ]
        return {"documents": documents, **({"nextPageToken": str(end)} if end < len(names) else {})}

    def turn(self, name: str, on: Any = True) -> None:
        """Set a flag, as another client would."""
        self.documents[name] = {"on": {"booleanValue": on}}


@pytest.fixture
def firestore() -> Firestore:
    """A fake Firestore without flags."""
    return Firestore()


@pytest.fixture
def emulator(firestore: Firestore) -> Iterator[LocalServer]:
    """A server for ``firestore``."""
    with serving(firestore.respond) as server:
        yield server


def write_catalogue(folder: Path, faults: Any = CATALOGUE) -> Path:
    """Write a catalogue to a file and return its path."""
    path = folder / "faults.json"
    path.write_text(json.dumps({"faults": faults}))
    return path


@pytest.fixture
def running(start: Callable[..., Running], emulator: LocalServer, tmp_path: Path) -> Running:
    """An Observatory with the fault flags of an app."""
    fault_flags = read_fault_flags(write_catalogue(tmp_path), f"{emulator.url}{COLLECTION}", APP)
    return start(fault_flags=fault_flags)


def states(response: httpx.Response) -> dict[str, bool | None]:
    """Return whether each fault in a response is on."""
    assert response.status_code == 200, response.text
    return {fault["name"]: fault["on"] for fault in response.json()["faults"]}


def message(response: httpx.Response, code: str) -> str:
    """Return the message of an error response, which must have this code."""
    error: dict[str, str] = response.json()["error"]
    assert error["code"] == code
    return error["message"]


def test_faults_are_listed_in_the_order_of_the_catalogue(
    running: Running, firestore: Firestore
) -> None:
    """A fault of the page has a link and no flag; flags of other names are left out."""
    firestore.turn("no-key")
    firestore.turn("another-flag")
    firestore.turn(PAGE_FAULT)
    response = running.http.get("/api/faults")
    assert states(response) == {"reads-all": False, "no-key": True, PAGE_FAULT: None}
    body = response.json()
    assert (body["connected"], body["unreachable"]) == (True, None)
    assert body["faults"][0] == {
        "name": "reads-all",
        "kind": "reads",
        "where": "quote",
        "summary": "reads too much",
        "scenarios": ["n-plus-one"],
        "on": False,
        "link": None,
    }
    assert body["faults"][2]["link"] == f"{APP}/?fault={PAGE_FAULT}"


@pytest.mark.parametrize("value", [False, None, "true", 1])
def test_only_the_boolean_true_turns_a_flag_on(
    running: Running, firestore: Firestore, value: Any
) -> None:
    """The functions read flags in the same way."""
    firestore.documents["no-key"] = {"on": {"stringValue": value}}
    firestore.documents["reads-all"] = {}
    assert states(running.http.get("/api/faults"))["no-key"] is False


def test_flags_are_read_from_all_pages(running: Running, firestore: Firestore) -> None:
    """Firestore returns documents in pages."""
    firestore.page_size = 1
    for name in ("a", "no-key", "reads-all"):
        firestore.turn(name)
    assert states(running.http.get("/api/faults"))["reads-all"] is True


def test_a_fault_is_turned_on_and_off(running: Running, firestore: Firestore) -> None:
    """Other fields of its document are kept; turning off an absent flag creates no document."""
    firestore.documents["no-key"] = {"by": {"stringValue": "admin"}}
    on = running.http.put("/api/faults/no-key", json={"on": True})
    assert states(on) == {"reads-all": False, "no-key": True, PAGE_FAULT: None}
    assert firestore.documents["no-key"]["by"] == {"stringValue": "admin"}
    assert states(running.http.put("/api/faults/no-key", json={"on": False}))["no-key"] is False
    assert states(running.http.put("/api/faults/reads-all", json={"on": False}))["no-key"] is False
    assert list(firestore.documents) == ["no-key"]


def test_all_faults_are_turned_off_at_once(running: Running, firestore: Firestore) -> None:
    """Flags that are not faults of the app are left alone."""
    for name in ("no-key", "reads-all", "another-flag"):
        firestore.turn(name)
    response = running.http.put("/api/faults", json={"on": False})
    assert set(states(response).values()) == {False, None}
    assert firestore.documents["another-flag"] == {"on": {"booleanValue": True}}


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "reason"),
    [
        ("/api/faults/no-kee", {"on": True}, 404, "no_such_fault", "did you mean no-key?"),
        ("/api/faults/xyz", {"on": True}, 404, "no_such_fault", "no fault 'xyz':"),
        (f"/api/faults/{PAGE_FAULT}", {"on": True}, 409, "no_flag", f"{APP}/?fault={PAGE_FAULT}"),
        ("/api/faults/no-key", {"on": "yes"}, 400, "bad_request", '{"on": true}'),
        ("/api/faults/no-key", [], 400, "bad_request", '{"on": true}'),
        ("/api/faults", {"on": True}, 400, "bad_request", '{"on": false}'),
        ("/api/faults", {"on": 0}, 400, "bad_request", '{"on": false}'),
        ("/api/faults", [True], 400, "bad_request", '{"on": false}'),
    ],
)
def test_an_invalid_change_is_refused_with_a_reason(
    running: Running,
    firestore: Firestore,
    path: str,
    body: Any,
    status: int,
    code: str,
    reason: str,
) -> None:
    """Nothing is written to Firestore."""
    response = running.http.put(path, json=body)
    assert response.status_code == status
    assert reason in message(response, code)
    assert firestore.documents == {}


def test_pages_of_other_sites_cannot_change_flags(running: Running, firestore: Firestore) -> None:
    """Refused are other origins, form posts and other host names."""
    for headers in ({"origin": "http://127.0.0.1:5002"}, {"host": "evil.example"}):
        response = running.http.put("/api/faults/no-key", json={"on": True}, headers=headers)
        assert response.status_code in (403, 421)
    form = running.http.put("/api/faults/no-key", content='{"on": true}')
    assert "application/json" in message(form, "bad_request")
    assert running.http.post("/api/faults/no-key", json={"on": True}).status_code == 405
    assert firestore.documents == {}


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_error_of_firestore_is_reported(
    running: Running, firestore: Firestore, status: int
) -> None:
    """The faults are still listed, with an unknown state, and no flag is changed."""
    firestore.turn("no-key")
    firestore.status = status
    response = running.http.get("/api/faults")
    assert set(states(response).values()) == {None}
    assert f"responded with status {status}" in response.json()["unreachable"]
    for path in ("/api/faults", "/api/faults/no-key"):
        refused = running.http.put(path, json={"on": False})
        assert refused.status_code == 503
        assert f"responded with status {status}" in message(refused, "flags_unreachable")
    firestore.status = 200
    assert states(running.http.get("/api/faults"))["no-key"] is True


def test_an_unreachable_firestore_is_reported_with_its_address(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """Once it is running, the flags are read."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    running = start(
        fault_flags=read_fault_flags(write_catalogue(tmp_path), f"{url}{COLLECTION}", APP)
    )
    assert url in running.http.get("/api/faults").json()["unreachable"]
    firestore = Firestore()
    firestore.turn("no-key")
    with serving(firestore.respond, port):
        assert states(running.http.get("/api/faults"))["no-key"] is True


@pytest.mark.parametrize("body", [b"<html>", b"[]"])
def test_another_program_at_firestores_address_is_reported(
    start: Callable[..., Running], tmp_path: Path, body: bytes
) -> None:
    """A response that is not Firestore's causes no failure."""
    with serving(lambda request: (200, body, {})) as other:
        fault_flags = read_fault_flags(write_catalogue(tmp_path), f"{other.url}{COLLECTION}", APP)
        reason = start(fault_flags=fault_flags).http.get("/api/faults").json()["unreachable"]
    assert "another program" in reason


def test_without_a_catalogue_no_faults_are_listed(start: Callable[..., Running]) -> None:
    """That is not an error, but turning one on is; the message names the command to run."""
    running = start()
    alone: dict[str, Any] = {"connected": False, "unreachable": None, "faults": []}
    assert running.http.get("/api/faults").json() == alone
    for path in ("/api/faults", "/api/faults/no-key"):
        response = running.http.put(path, json={"on": False})
        assert response.status_code == 409
        assert "./scripts/dev" in message(response, "not_connected")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a catalogue"),
        ("[]", "is not a catalogue"),
        ('{"faults": 3}', "is not a catalogue"),
        ('{"faults": [{"name": "x"}]}', "address"),
        (json.dumps({"faults": [catalogue_entry("a/b")]}), "name is 'a/b'"),
        (
            json.dumps({"faults": [catalogue_entry("a", address="//evil.example")]}),
            "a single slash",
        ),
        (json.dumps({"faults": [catalogue_entry("a", summary=3)]}), "summary is 3"),
    ],
)
def test_an_invalid_catalogue_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """The message names the file and the error."""
    path = tmp_path / "faults.json"
    path.write_text(text)
    with pytest.raises(BadCatalogue, match=re.escape(reason)) as refused:
        read_catalogue(path)
    assert str(path) in str(refused.value)


def test_invalid_fault_options_end_the_command(tmp_path: Path) -> None:
    """It exits with 1 for a missing file, and with 2 for a missing or invalid option."""
    fault_options = ["--faults", str(tmp_path / "none.json"), "--app", APP]
    data = ["--port", "0", "--data", str(tmp_path / "spans.duckdb")]
    missing = observatory_command(*data, *fault_options, "--flags", f"{APP}{COLLECTION}")
    assert missing.returncode == 1
    assert "none.json cannot be read" in missing.stderr
    alone = observatory_command(*data, *fault_options)
    assert alone.returncode == 2
    assert "give --faults, --flags and --app together" in alone.stderr
    wrong = observatory_command(*data, *fault_options, "--flags", "javascript:alert(1)")
    assert wrong.returncode == 2
    assert "is not a URL" in wrong.stderr
