"""Tests of the shows that a stack is seeded with."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stack.clients.firestore_rest import decode
from stack.local import seed
from tests.unit.local_server import ReceivedRequest, serving

PROJECT = "demo-throughline"


@pytest.fixture(scope="module")
def seed_request() -> ReceivedRequest:
    """The one request that seeding makes."""
    with serving() as server:
        seed.shows(server.url, PROJECT)
        (request,) = server.requests
    return request


@pytest.fixture(scope="module")
def shows(seed_request: ReceivedRequest) -> dict[str, dict[str, Any]]:
    """The documents written, by their id."""
    prefix = f"projects/{PROJECT}/databases/(default)/documents/shows/"
    shows_by_id = {}
    for write in json.loads(seed_request.body)["writes"]:
        name = write["update"]["name"]
        assert name.startswith(prefix)
        shows_by_id[name.removeprefix(prefix)] = decode({"mapValue": write["update"]})
    return shows_by_id


def test_all_shows_are_written_in_one_commit_with_administrator_rights(
    seed_request: ReceivedRequest,
) -> None:
    """The security rules don't let anyone else write stock."""
    assert seed_request.method == "POST"
    assert seed_request.path == f"/v1/projects/{PROJECT}/databases/(default)/documents:commit"
    assert seed_request.headers["authorization"] == "Bearer owner"


def test_there_are_six_shows_with_ids_that_the_rules_allow_in_orders(
    shows: dict[str, dict[str, Any]],
) -> None:
    assert len(shows) == 6
    assert all(re.fullmatch(r"[a-z0-9-]{1,64}", show_id) for show_id in shows)


def test_every_show_has_exactly_the_fields_that_the_stages_read(
    shows: dict[str, dict[str, Any]],
) -> None:
    types = {
        **dict.fromkeys(["title", "venue", "city", "blurb", "starts_at", "currency"], str),
        **dict.fromkeys(["price_cents", "seats_total", "seats_left", "rank"], int),
    }
    for show in shows.values():
        assert {key: type(value) for key, value in show.items()} == types
        assert all(show.values())


def test_every_show_is_on_sale_with_all_seats_left(shows: dict[str, dict[str, Any]]) -> None:
    """Prices are in euros, and each show has its own rank on the page."""
    for show in shows.values():
        assert show["seats_left"] == show["seats_total"]
        assert show["currency"] == "EUR"
        assert show["price_cents"] >= 100
    assert sorted(show["rank"] for show in shows.values()) == [1, 2, 3, 4, 5, 6]


def test_every_show_starts_in_the_future(
    seed_request: ReceivedRequest, shows: dict[str, dict[str, Any]]
) -> None:
    """Dates are relative to today, and Firestore timestamps."""
    for show in shows.values():
        starts_at = datetime.fromisoformat(show["starts_at"])
        assert timedelta(0) < starts_at - datetime.now(UTC) < timedelta(days=366)
    for write in json.loads(seed_request.body)["writes"]:
        assert set(write["update"]["fields"]["starts_at"]) == {"timestampValue"}


def test_an_error_of_firestore_is_raised() -> None:
    with serving(lambda _: 403) as server, pytest.raises(OSError, match="403"):
        seed.shows(server.url, PROJECT)
