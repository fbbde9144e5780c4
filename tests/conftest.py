"""Options of the test suite, and fixtures of the tiers that need a stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from observatory.client import Observatory
from tests.addresses import Addresses, StackUnderTest, stack_under_test
from tests.buyer import BoxOffice, Buyer

pytest_plugins = ["tests.trace_plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options --pictures and --one-by-one.

    To update the pictures of the documentation: ./scripts/test journey -- --pictures
    """
    parser.addoption("--pictures", action="store_true", help="write the pictures into docs/")
    parser.addoption(
        "--one-by-one",
        choices=("only", "none"),
        help="run only the tests that use the stack or measure time, or only the others",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give long tests an hour, and deselect tests for --one-by-one.

    Those that use an emulator or have the marker `measures` run one by one.
    """
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(3600))
    if choice := config.getoption("--one-by-one"):
        selected: list[pytest.Item] = []
        deselected: list[pytest.Item] = []
        for item in items:
            fixtures = {*getattr(item, "fixturenames", ())}
            uses_emulator = bool(fixtures & {"addresses", "firestore_emulator"})
            runs_alone = uses_emulator or item.get_closest_marker("measures") is not None
            (selected if runs_alone == (choice == "only") else deselected).append(item)
        items[:] = selected
        config.hook.pytest_deselected(items=deselected)


@pytest.fixture(scope="session")
def under_test() -> StackUnderTest:
    """The stack under test: its addresses and process ids."""
    return stack_under_test()


@pytest.fixture(scope="session")
def addresses(under_test: StackUnderTest) -> Addresses:
    """The addresses of the stack under test."""
    return under_test.addresses


@pytest.fixture(scope="session")
def box_office(addresses: Addresses) -> Iterator[BoxOffice]:
    """A client of the Box Office with an administrator's rights."""
    administrator = BoxOffice(addresses)
    yield administrator
    administrator.close()


@pytest.fixture(scope="session")
def observatory(addresses: Addresses) -> Iterator[Observatory]:
    """A client of the stack's Observatory."""
    with Observatory(addresses.observatory) as client:
        yield client


@pytest.fixture
def new_buyer(addresses: Addresses) -> Iterator[Callable[[], Buyer]]:
    """Signs in a new anonymous buyer with each call."""
    buyers: list[Buyer] = []

    def sign_in() -> Buyer:
        buyers.append(Buyer(addresses))
        return buyers[-1]

    yield sign_in
    for buyer in buyers:
        buyer.close()


@pytest.fixture
def buyer(new_buyer: Callable[[], Buyer]) -> Buyer:
    """A new buyer who is signed in."""
    return new_buyer()


@pytest.fixture
def organiser(addresses: Addresses) -> Iterator[Buyer]:
    """The seeded organiser, signed in."""
    person = Buyer(addresses, "organiser@example.org", "box-office")
    yield person
    person.close()


@pytest.fixture
def open_show(box_office: BoxOffice) -> Iterator[Callable[..., str]]:
    """Creates shows, and deletes them after the test."""
    shows: list[str] = []

    def create(seats: int, price_cents: int = 1000) -> str:
        shows.append(box_office.open_show(seats, price_cents))
        return shows[-1]

    yield create
    for show_id in shows:
        box_office.close_show(show_id)
