"""The API of the fault flags: which faults there are, which are on, and turning them.

Firestore is a stand-in here, for the ways in which it fails; tests/journey has the real emulator.
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
from tests.unit.local_server import Asked, LocalServer, free_port, serving
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.test_store import observatory_command

COLLECTION = "/v1/projects/demo/databases/(default)/documents/flags"
APP = "http://127.0.0.1:5002"
PAGES_OWN = "looks-empty"


def listed(name: str, **changes: Any) -> dict[str, Any]:
    """A fault as a catalogue lists it."""
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
    listed("reads-all"),
    listed("no-key", kind="delivery"),
    listed(PAGES_OWN, where="page", address=f"/?fault={PAGES_OWN}"),
]


class Firestore:
    """As much of Firestore's REST API as the flags take, over `documents`."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.status = 200
        self.page_size: int | None = None

    def answer(self, asked: Asked) -> int | tuple[int, bytes, dict[str, str]]:
        """Answers one request."""
        address = urlsplit(asked.path)
        query = parse_qs(address.query)
        assert asked.headers["authorization"] == "Bearer owner"
        if self.status != 200:
            return self.status
        if asked.method == "GET":
            assert address.path == COLLECTION
            return 200, json.dumps(self._page(query)).encode(), {}
        name = address.path.removeprefix(f"{COLLECTION}/")
        if "currentDocument.exists" in query and name not in self.documents:
            return 404
        assert query["updateMask.fieldPaths"] == ["on"]
        self.documents.setdefault(name, {}).update(json.loads(asked.body)["fields"])
        return 200, b"{}", {}

    def _page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        names = sorted(self.documents)
        begin = int(query.get("pageToken", ["0"])[0])
        end = begin + (self.page_size or int(query["pageSize"][0]))
        found = [
            {"name": f"projects/demo/{name}", "fields": self.documents[name]}
            for name in names[begin:end]
        ]
        return {"documents": found, **({"nextPageToken": str(end)} if end < len(names) else {})}

    def turn(self, name: str, on: Any = True) -> None:
        """Somebody else writes a flag."""
        self.documents[name] = {"on": {"booleanValue": on}}


@pytest.fixture
def firestore() -> Firestore:
    """A Firestore without flags."""
    return Firestore()


@pytest.fixture
def emulator(firestore: Firestore) -> Iterator[LocalServer]:
    """What serves it."""
    with serving(firestore.answer) as server:
        yield server


def catalogue_in(folder: Path, faults: Any = CATALOGUE) -> Path:
    """The catalogue as a file."""
    path = folder / "faults.json"
    path.write_text(json.dumps({"faults": faults}))
    return path


@pytest.fixture
def running(start: Callable[..., Running], emulator: LocalServer, tmp_path: Path) -> Running:
    """An Observatory that was told of an app's faults."""
    board = read_fault_flags(catalogue_in(tmp_path), f"{emulator.url}{COLLECTION}", APP)
    return start(fault_flags=board)


def states(answer: httpx.Response) -> dict[str, bool | None]:
    """Which faults an answer says are on."""
    assert answer.status_code == 200, answer.text
    return {fault["name"]: fault["on"] for fault in answer.json()["faults"]}


def message(answer: httpx.Response, code: str) -> str:
    """The message of a refusal with that code."""
    said: dict[str, str] = answer.json()["error"]
    assert said["code"] == code
    return said["message"]


def test_faults_are_listed_as_the_catalogue_has_them(
    running: Running, firestore: Firestore
) -> None:
    """In its order; a page's has a link and no flag, and a flag that is no fault is left out."""
    firestore.turn("no-key")
    firestore.turn("somebody-elses")
    firestore.turn(PAGES_OWN)
    answer = running.http.get("/api/faults")
    assert states(answer) == {"reads-all": False, "no-key": True, PAGES_OWN: None}
    told = answer.json()
    assert (told["connected"], told["unreachable"]) == (True, None)
    assert told["faults"][0] == {
        "name": "reads-all",
        "kind": "reads",
        "where": "quote",
        "summary": "reads too much",
        "scenarios": ["n-plus-one"],
        "on": False,
        "link": None,
    }
    assert told["faults"][2]["link"] == f"{APP}/?fault={PAGES_OWN}"


@pytest.mark.parametrize("value", [False, None, "true", 1])
def test_only_true_is_on(running: Running, firestore: Firestore, value: Any) -> None:
    """As the functions see it."""
    firestore.documents["no-key"] = {"on": {"stringValue": value}}
    firestore.documents["reads-all"] = {}
    assert states(running.http.get("/api/faults"))["no-key"] is False


def test_flags_come_on_several_pages(running: Running, firestore: Firestore) -> None:
    """All of them are read."""
    firestore.page_size = 1
    for name in ("a", "no-key", "reads-all"):
        firestore.turn(name)
    assert states(running.http.get("/api/faults"))["reads-all"] is True


def test_a_fault_is_turned_on_and_off(running: Running, firestore: Firestore) -> None:
    """What else the flag's document says stays, and turning off what never was makes none."""
    firestore.documents["no-key"] = {"by": {"stringValue": "somebody"}}
    on = running.http.put("/api/faults/no-key", json={"on": True})
    assert states(on) == {"reads-all": False, "no-key": True, PAGES_OWN: None}
    assert firestore.documents["no-key"]["by"] == {"stringValue": "somebody"}
    assert states(running.http.put("/api/faults/no-key", json={"on": False}))["no-key"] is False
    assert states(running.http.put("/api/faults/reads-all", json={"on": False}))["no-key"] is False
    assert list(firestore.documents) == ["no-key"]


def test_all_are_turned_off_at_once(running: Running, firestore: Firestore) -> None:
    """And what is no fault of the app is left alone."""
    for name in ("no-key", "reads-all", "somebody-elses"):
        firestore.turn(name)
    answer = running.http.put("/api/faults", json={"on": False})
    assert set(states(answer).values()) == {False, None}
    assert firestore.documents["somebody-elses"] == {"on": {"booleanValue": True}}


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "said"),
    [
        ("/api/faults/no-kee", {"on": True}, 404, "no_such_fault", "did you mean no-key?"),
        ("/api/faults/xyz", {"on": True}, 404, "no_such_fault", "no fault 'xyz'."),
        (f"/api/faults/{PAGES_OWN}", {"on": True}, 409, "no_flag", f"{APP}/?fault={PAGES_OWN}"),
        ("/api/faults/no-key", {"on": "yes"}, 400, "bad_request", '{"on": true}'),
        ("/api/faults/no-key", [], 400, "bad_request", '{"on": true}'),
        ("/api/faults", {"on": True}, 400, "bad_request", '{"on": false}'),
        ("/api/faults", {"on": 0}, 400, "bad_request", '{"on": false}'),
        ("/api/faults", [True], 400, "bad_request", '{"on": false}'),
    ],
)
def test_what_can_not_be_done_is_refused_with_a_reason(
    running: Running,
    firestore: Firestore,
    path: str,
    body: Any,
    status: int,
    code: str,
    said: str,
) -> None:
    """And nothing is written."""
    answer = running.http.put(path, json=body)
    assert answer.status_code == status
    assert said in message(answer, code)
    assert firestore.documents == {}


def test_another_sites_page_turns_nothing(running: Running, firestore: Firestore) -> None:
    """Neither with its own origin, nor by a form, nor under another host's name."""
    for headers in ({"origin": "http://127.0.0.1:5002"}, {"host": "evil.example"}):
        answer = running.http.put("/api/faults/no-key", json={"on": True}, headers=headers)
        assert answer.status_code in (403, 421)
    form = running.http.put("/api/faults/no-key", content='{"on": true}')
    assert "application/json" in message(form, "bad_request")
    assert running.http.post("/api/faults/no-key", json={"on": True}).status_code == 405
    assert firestore.documents == {}


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_firestore_that_refuses_is_said(
    running: Running, firestore: Firestore, status: int
) -> None:
    """The list stays, of no fault is it known whether it is on, and nothing was turned."""
    firestore.turn("no-key")
    firestore.status = status
    answer = running.http.get("/api/faults")
    assert set(states(answer).values()) == {None}
    assert f"answered {status}" in answer.json()["unreachable"]
    for path in ("/api/faults", "/api/faults/no-key"):
        refused = running.http.put(path, json={"on": False})
        assert refused.status_code == 503
        assert f"answered {status}" in message(refused, "flags_unreachable")
    firestore.status = 200
    assert states(running.http.get("/api/faults"))["no-key"] is True


def test_a_firestore_that_is_away_is_said(start: Callable[..., Running], tmp_path: Path) -> None:
    """With its address; once it is there, so are the flags."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    running = start(fault_flags=read_fault_flags(catalogue_in(tmp_path), f"{url}{COLLECTION}", APP))
    assert url in running.http.get("/api/faults").json()["unreachable"]
    firestore = Firestore()
    firestore.turn("no-key")
    with serving(firestore.answer, port):
        assert states(running.http.get("/api/faults"))["no-key"] is True


@pytest.mark.parametrize("body", [b"<html>", b"[]"])
def test_another_program_in_its_place_is_said(
    start: Callable[..., Running], tmp_path: Path, body: bytes
) -> None:
    """What answers, and is no Firestore, breaks nothing."""
    with serving(lambda asked: (200, body, {})) as other:
        board = read_fault_flags(catalogue_in(tmp_path), f"{other.url}{COLLECTION}", APP)
        said = start(fault_flags=board).http.get("/api/faults").json()["unreachable"]
    assert "another program" in said


def test_alone_it_knows_of_none_and_says_how_it_would(start: Callable[..., Running]) -> None:
    """Which is no error, until somebody wants to turn one."""
    running = start()
    alone: dict[str, Any] = {"connected": False, "unreachable": None, "faults": []}
    assert running.http.get("/api/faults").json() == alone
    for path in ("/api/faults", "/api/faults/no-key"):
        answer = running.http.put(path, json={"on": False})
        assert answer.status_code == 409
        assert "./scripts/dev" in message(answer, "not_connected")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no catalogue"),
        ("[]", "no catalogue"),
        ('{"faults": 3}', "no catalogue"),
        ('{"faults": [{"name": "x"}]}', "address"),
        (json.dumps({"faults": [listed("a/b")]}), "name is 'a/b'"),
        (json.dumps({"faults": [listed("a", address="//evil.example")]}), "one slash"),
        (json.dumps({"faults": [listed("a", summary=3)]}), "summary is 3"),
    ],
)
def test_a_bad_catalogue_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """With the file's name, and what is wrong in it."""
    path = tmp_path / "faults.json"
    path.write_text(text)
    with pytest.raises(BadCatalogue, match=re.escape(said)) as refused:
        read_catalogue(path)
    assert str(path) in str(refused.value)


def test_a_start_without_what_it_needs_says_so(tmp_path: Path) -> None:
    """Exit 1 for a file that isn't there, 2 for an option alone or one that is no address."""
    about = ["--faults", str(tmp_path / "none.json"), "--app", APP]
    data = ["--port", "0", "--data", str(tmp_path / "spans.duckdb")]
    missing = observatory_command(*data, *about, "--flags", f"{APP}{COLLECTION}")
    assert missing.returncode == 1
    assert "none.json cannot be read" in missing.stderr
    alone = observatory_command(*data, *about)
    assert alone.returncode == 2
    assert "give --faults, --flags and --app together" in alone.stderr
    wrong = observatory_command(*data, *about, "--flags", "javascript:alert(1)")
    assert wrong.returncode == 2
    assert "is not a URL" in wrong.stderr
