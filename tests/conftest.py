"""Fixtures of the tiers that need a stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from observatory.client import Observatory
from tests.addresses import Addresses, StackUnderTest, stack_under_test
from tests.buyer import BoxOffice, Buyer

pytest_plugins = ["tests.trace_plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person renew the documents' pictures: ./scripts/test journey -- --pictures

    And let ./scripts/test run some tests on all cores, and the others one by one.
    """
    parser.addoption(
        "--pictures", action="store_true", help="write the pictures into docs/, not aside"
    )
    parser.addoption(
        "--one-by-one",
        choices=("only", "none"),
        help="run only the tests that need the machine to themselves, or only the others",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what --one-by-one does: what asks for an emulator, or is marked `measures`."""
    if wanted := config.getoption("--one-by-one"):
        chosen: list[pytest.Item] = []
        left_out: list[pytest.Item] = []
        for item in items:
            on_emulators = {"addresses", "firestore_emulator"} & {
                *getattr(item, "fixturenames", ())
            }
            alone = bool(on_emulators) or item.get_closest_marker("measures") is not None
            (chosen if alone == (wanted == "only") else left_out).append(item)
        items[:] = chosen
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def under_test() -> StackUnderTest:
    """The stack under test."""
    return stack_under_test()


@pytest.fixture(scope="session")
def addresses(under_test: StackUnderTest) -> Addresses:
    """Where the stack under test listens."""
    return under_test.addresses


@pytest.fixture(scope="session")
def box_office(addresses: Addresses) -> Iterator[BoxOffice]:
    """The Box Office as its administrator sees it."""
    administrator = BoxOffice(addresses)
    yield administrator
    administrator.close()


@pytest.fixture(scope="session")
def observatory(addresses: Addresses) -> Iterator[Observatory]:
    """The stack's Observatory."""
    with Observatory(addresses.observatory) as client:
        yield client


@pytest.fixture
def new_buyer(addresses: Addresses) -> Iterator[Callable[[], Buyer]]:
    """Signs somebody in, each call somebody else."""
    buyers: list[Buyer] = []

    def sign_in() -> Buyer:
        buyers.append(Buyer(addresses))
        return buyers[-1]

    yield sign_in
    for buyer in buyers:
        buyer.close()


@pytest.fixture
def buyer(new_buyer: Callable[[], Buyer]) -> Buyer:
    """Somebody who is signed in."""
    return new_buyer()


@pytest.fixture
def organiser(addresses: Addresses) -> Iterator[Buyer]:
    """The organiser, who is there from the start."""
    person = Buyer(addresses, "organiser@example.org", "box-office")
    yield person
    person.close()


@pytest.fixture
def open_show(box_office: BoxOffice) -> Iterator[Callable[..., str]]:
    """Puts on shows of a test's own, and takes them off afterwards."""
    shows: list[str] = []

    def put_on(seats: int, price_cents: int = 1000) -> str:
        shows.append(box_office.open_show(seats, price_cents))
        return shows[-1]

    yield put_on
    for show_id in shows:
        box_office.close_show(show_id)
