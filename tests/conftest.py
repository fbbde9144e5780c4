"""Options of the test suite, and fixtures of the tiers that need a stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from observatory.client import Observatory
from tests.addresses import Addresses, StackUnderTest, stack_under_test
from tests.buyer import BoxOffice, Buyer

pytest_plugins = ["tests.trace_plugin"]


PARTS = ("parallel", "emulator", "stack", "measuring")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options --pictures and --part.

    To update the pictures of the documentation: ./scripts/test journey -- --pictures
    """
    parser.addoption("--pictures", action="store_true", help="write the pictures into docs/")
    parser.addoption(
        "--part",
        choices=PARTS,
        help="run only the tests that share nothing, those that start a Firestore emulator, those "
        "on the stack, or those that measure time",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give long tests an hour, and deselect the tests that are not in the chosen part."""
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(3600))
    if part := config.getoption("--part"):
        config.hook.pytest_deselected(items=[item for item in items if _part_of(item) != part])
        items[:] = [item for item in items if _part_of(item) == part]


def _part_of(item: pytest.Item) -> str:
    """Return the part that a test belongs to, by its marker and its fixtures."""
    if item.get_closest_marker("measures"):
        return "measuring"
    fixtures = getattr(item, "fixturenames", ())
    if "addresses" in fixtures:
        return "stack"
    return "emulator" if "firestore_emulator" in fixtures else "parallel"


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
