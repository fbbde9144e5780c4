"""How the weather ends an instance, on the framework that serves one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.unit.framework import Framework, framework
from tests.unit.local_server import eventually

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions"

MAIN = """
import os
from pathlib import Path
import flask, functions_framework
from faults import instance

@functions_framework.http
def answer(request):
    if end := request.args.get("end"):
        getattr(instance, end)()
    if later := request.args.get("later"):
        @flask.after_this_request
        def put_off(response):
            response.call_on_close(lambda: Path(later).touch())
            return response
    return str(os.getpid())
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Framework]:
    """A function that answers with its process's id, and does what it is asked to."""
    (tmp_path / "main.py").write_text(MAIN)
    environment = {"FUNCTION_TARGET": "answer", "PYTHONPATH": str(FUNCTIONS)}
    command = FUNCTIONS / "venv" / "bin" / "functions-framework"
    with framework(command, tmp_path, environment, tmp_path / "log", "/") as running:
        yield running


def asked(served: Framework, **query: str) -> int:
    """The id of the process that answered."""
    answer = httpx.get(served.url, params=query, trust_env=False, timeout=20)
    return int(answer.raise_for_status().text)


def is_gone(process_id: int) -> bool:
    """Whether there is no such process any more."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False


def test_an_instance_that_is_taken_away_answers_and_the_next_is_new(served: Framework) -> None:
    """And no request is lost between the two."""
    answered = [asked(served, end="take_away" if number % 2 else "") for number in range(6)]
    assert answered[0::2] == answered[1::2]
    assert len(set(answered)) == 3


def test_what_comes_after_the_answer_is_lost_where_the_instance_is_cut_off(
    served: Framework, tmp_path: Path
) -> None:
    """And is done where it goes on, which is why nobody notices on a machine of their own."""
    asked(served, later=str(tmp_path / "done"))
    eventually((tmp_path / "done").exists, "what was put off is done")
    ended = asked(served, end="cut_off", later=str(tmp_path / "lost"))
    eventually(lambda: is_gone(ended), "the instance ends")
    assert not (tmp_path / "lost").exists()
    assert asked(served) != ended
