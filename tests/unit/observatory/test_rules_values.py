"""The values of rules expressions, compared with the emulator's verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from observatory.rules_monitor import language
from observatory.rules_monitor.interpreter import Scope, is_true
from observatory.rules_monitor.typed import Path as DocumentPath
from observatory.rules_monitor.typed import value_of
from observatory.rules_monitor.values import Failed, Unknown

FILE = Path(__file__).with_name("emulator_verdicts.txt")
VERDICTS = [
    line.split(maxsplit=1)
    for line in FILE.read_text().splitlines()
    if line and not line.startswith("#")
]
NAME = ("databases", "(default)", "documents", "probe", "a", "sub", "d")
NAME_TYPED = {"pathValue": {"segments": [{"simple": segment} for segment in NAME]}}


def _integer(number: int) -> dict[str, Any]:
    return {"intValue": str(number)}


def _map(**fields: Any) -> dict[str, Any]:
    return {"mapValue": {"fields": fields}}


def _list(*items: Any) -> dict[str, Any]:
    return {"listValue": {"values": list(items)}}


DATA = _map(
    i=_integer(1),
    f={"floatValue": 1.0},
    h={"floatValue": 1.5},
    b={"boolValue": True},
    s={"stringValue": "héllo😀"},
    n={"nullValue": None},
    l=_list(_integer(1), {"stringValue": "a"}),
    lf=_list({"floatValue": 1.0}),
    lb=_list({"boolValue": True}),
    ln=_list(_integer(1), _integer(2), _integer(2)),
    m=_map(a=_integer(1), b=_map(c=_integer(2))),
    e={"mapValue": {}},
    el={"listValue": {}},
    t={"timestampValue": "2024-02-29T12:34:56.789123Z"},
    by={"bytesValue": "AQID"},
    g={"latLngValue": {}},
    r={"pathValue": {"segments": [{"simple": part} for part in (*NAME[:3], "rooms", "r1")]}},
    big=_integer(2**63 - 1),
    nan={"floatValue": "NaN"},
    **{"x.y": _integer(3)},
)
REQUEST = _map(
    path=NAME_TYPED,
    method={"stringValue": "get"},
    auth=_map(
        uid={"stringValue": "u1"},
        token=_map(sub={"stringValue": "u1"}),
    ),
    time={"timestampValue": "2026-12-01T09:35:47.034Z"},
)
VARIABLES = {
    "request": value_of(REQUEST),
    "resource": value_of(_map(data=DATA, id={"stringValue": "d"}, __name__=NAME_TYPED)),
    "database": "(default)",
    "p": DocumentPath(NAME[3:]),
}


def outcome(expression: str) -> str:
    """Return allow, deny, error or unknown, as the interpreter evaluates the expression."""
    rules = f"service cloud.firestore {{ match /x/{{y}} {{ allow get: if {expression}; }} }}"
    (allow,) = language.parse(rules).blocks[0].allows
    assert allow.condition is not None
    try:
        return "allow" if is_true(allow.condition, Scope(VARIABLES, globals=VARIABLES)) else "deny"
    except Failed:
        return "error"
    except Unknown:
        return "unknown"


@pytest.mark.parametrize(("verdict", "expression"), VERDICTS, ids=[each[1] for each in VERDICTS])
def test_an_expression_has_the_emulators_outcome(verdict: str, expression: str) -> None:
    """The outcome is the same; for verdicts with a question mark it may be unknown."""
    expected = {verdict.rstrip("?")} | ({"unknown"} if verdict.endswith("?") else set())
    assert outcome(expression) in expected
