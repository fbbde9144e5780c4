"""Requests that a hostile or a legal client can send, and the expected outcome of each."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from boxoffice.order import State
from stack.clients.firestore_rest import encode
from tests.security.lone_firestore import DOCUMENTS, Call, Outcome, id_token

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
STARTS_AT = datetime(2030, 1, 1, 20, tzinfo=UTC)
BEGUN_AT = datetime(2020, 1, 1, 20, tzinfo=UTC)

#: In place of a value: the field is absent.
MISSING = object()

NOBODY, ALICE, BOB, ORGANISER = "nobody", "alice", "bob", "organiser"

#: Claims that grant nothing, although they resemble the organiser's.
FORGED_CLAIMS: Mapping[str, Mapping[str, object]] = {
    "role in capitals": {"role": "ORGANISER"},
    "role with a space": {"role": "organiser "},
    "role with a newline": {"role": "organiser\n"},
    "empty role": {"role": ""},
    "null role": {"role": None},
    "role true": {"role": True},
    "role in a list": {"role": ["organiser"]},
    "role in a map": {"role": {"organiser": True}},
    "another role": {"role": "owner"},
    "roles": {"roles": ["organiser"]},
    "role as the key": {"organiser": True},
    "admin": {"admin": True},
    "nested claims": {"claims": {"role": "organiser"}},
    "provider claims": {"firebase": {"sign_in_provider": "custom", "role": "organiser"}},
    "uid organiser": {"user_id": "organiser", "email": "organiser@example.org"},
}

CLIENTS: Mapping[str, Callable[[], str | None]] = {
    NOBODY: lambda: None,
    # The claims that Firebase Auth issues to an anonymous user, which every buyer is.
    ALICE: lambda: id_token("alice", firebase={"sign_in_provider": "anonymous"}),
    BOB: lambda: id_token("bob", firebase={"sign_in_provider": "anonymous"}),
    ORGANISER: lambda: id_token("olga", role="organiser"),
    "no JWT": lambda: "not-a-token",
    "an empty uid": lambda: id_token(""),
    **{
        name: (lambda claims=claims: id_token("mallory", **claims))  # type: ignore[misc]
        for name, claims in FORGED_CLAIMS.items()
    },
}

#: The documents that exist before each run of the table.
STORED: Mapping[str, Mapping[str, Any]] = {
    "orders/alices": {"uid": "alice", "show_id": "night-ferry", "seats": 2, "state": "reserved"},
    "orders/bobs": {"uid": "bob", "show_id": "night-ferry", "seats": 1, "state": "ticketed"},
    "orders/nobodys": {"show_id": "night-ferry", "seats": 1, "state": "placed"},
    "orders/nulls": {"uid": None, "show_id": "night-ferry", "seats": 1, "state": "placed"},
    "shows/night-ferry": {
        "title": "Night Ferry",
        "starts_at": STARTS_AT,
        "seats_left": 5,
        "seats_total": 60,
    },
    "shows/begun": {"starts_at": BEGUN_AT},
    **{f"shows/{show_id}": {"starts_at": STARTS_AT} for show_id in ("a", "9", "-", "x" * 64)},
    "shows/timeless": {"title": "Without a start"},
    "buyers/early": {"last_order_id": "x", "last_order_at": STARTS_AT},
    "buyers/odd": {"last_order_id": "a b", "last_order_at": BEGUN_AT},
    "buyers/ready": {"last_order_id": "x", "last_order_at": BEGUN_AT},
    "buyer_holds/alice": {"orders": 3, "seats": 12},
    "show_holds/night-ferry": {"seats": 30},
    "sweeps/orders": {"placed_at": BEGUN_AT},
    "tickets/alices-1": {"uid": "alice", "code": "NIGHT-ALICES-1"},
    "tickets/bobs-1": {"uid": "bob", "code": "NIGHT-BOBS-1"},
    "roles/alice": {"role": "organiser"},
    "roles/bob": {"role": "organiser"},
    "tally/0": {"orders": 1, "seats": 1},
    "audit/entry": {"order_id": "bobs", "state": "ticketed"},
    "flags/no-idempotency-key": {"on": False},
    "dead_letters/letter": {"stage": "settle", "event": "a card's token"},
    "anything/else": {"uid": "alice"},
}


@cache
def token(client: str) -> str | None:
    """Return the ID token of one of CLIENTS, or of a buyer with that uid; None if signed out."""
    if client in CLIENTS:
        return CLIENTS[client]()
    return id_token(client, firebase={"sign_in_provider": "anonymous"})


@dataclass(frozen=True)
class ForgedRequest:
    """One call of one client, and its expected outcome."""

    name: str
    client: str
    call: Call
    expected: Outcome


def forged_requests() -> list[ForgedRequest]:
    """Return the whole table."""
    rows = [
        *reads(),
        *queries(),
        *claims(),
        *writes_of_stored_documents(),
        *creations_elsewhere(),
        *orders(),
        *order_ids(),
        *order_traces(),
        *order_notes(),
        *shows(),
        *show_ids(),
        *batches(),
    ]
    names = [row.name for row in rows]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
    return rows


# Reads


def reads() -> Iterator[ForgedRequest]:
    """Yield a read of one document of every collection by every kind of client."""
    anybody = dict.fromkeys((NOBODY, ALICE, BOB, ORGANISER), Outcome.ALLOWED)
    organiser = {**dict.fromkeys((NOBODY, ALICE, BOB), Outcome.DENIED), ORGANISER: Outcome.ALLOWED}
    alice = {**organiser, ALICE: Outcome.ALLOWED}
    closed = dict.fromkeys((NOBODY, ALICE, BOB, ORGANISER), Outcome.NO_RULE)
    expected = {
        "shows/night-ferry": anybody,
        "shows/missing": anybody,
        "orders/alices": alice,
        "orders/nulls": organiser,
        "tickets/alices-1": alice,
        "roles/alice": {**alice, ORGANISER: Outcome.DENIED},
        "tally/0": organiser,
        "audit/entry": organiser,
        "buyers/early": closed,
        "buyer_holds/alice": closed,
        "show_holds/night-ferry": closed,
        "sweeps/orders": closed,
        "flags/no-idempotency-key": closed,
        "dead_letters/letter": closed,
        "anything/else": closed,
        "shows/night-ferry/orders/alices": closed,
        "orders/alices/private/note": closed,
        "shows/night-ferry/anything/else": closed,
    }
    for path, by_client in expected.items():
        for client, outcome in by_client.items():
            yield ForgedRequest(f"{client} gets {path}", client, get(path), outcome)
    for path in ("orders/nobodys", "orders/missing", "tickets/missing"):
        # The document has no `uid` with which the rule could compare the client's.
        yield ForgedRequest(f"{ALICE} gets {path}", ALICE, get(path), Outcome.FAILED)
        yield ForgedRequest(f"{NOBODY} gets {path}", NOBODY, get(path), Outcome.DENIED)
    both = get("orders/alices", "orders/bobs")
    yield ForgedRequest(f"{ALICE} gets orders of two buyers", ALICE, both, Outcome.DENIED)


def queries() -> Iterator[ForgedRequest]:
    """Yield queries for whole collections, and for the documents of one buyer."""
    organiser = {NOBODY: Outcome.DENIED, ALICE: Outcome.DENIED, ORGANISER: Outcome.ALLOWED}
    # The rule reads the buyer's uid, which is unknown if the query has no condition on it.
    buyers = {**organiser, ALICE: Outcome.FAILED}
    closed = dict.fromkeys(organiser, Outcome.NO_RULE)
    for collection, by_client in {
        "shows": dict.fromkeys(organiser, Outcome.ALLOWED),
        "orders": buyers,
        "tickets": buyers,
        "roles": closed,
        "tally": organiser,
        "audit": organiser,
        "buyers": closed,
        "buyer_holds": closed,
        "flags": closed,
        "dead_letters": closed,
        "anything": closed,
    }.items():
        for client, outcome in by_client.items():
            name = f"{client} lists {collection}"
            yield ForgedRequest(name, client, query(collection), outcome)
            yield ForgedRequest(f"{name}, one only", client, query(collection, limit=1), outcome)
            yield ForgedRequest(f"{client} counts {collection}", client, count(collection), outcome)
    for collection in ("orders", "tickets"):
        for client, uid, outcome in (
            (ALICE, "alice", Outcome.ALLOWED),
            (ALICE, "bob", Outcome.DENIED),
            (ALICE, None, Outcome.DENIED),
            (ALICE, ["alice"], Outcome.DENIED),
            (NOBODY, "alice", Outcome.DENIED),
            (NOBODY, None, Outcome.DENIED),
            (ORGANISER, "alice", Outcome.ALLOWED),
        ):
            name = f"{client} lists the {collection} of {uid!r}"
            yield ForgedRequest(name, client, query(collection, uid=uid), outcome)
        name = f"{ALICE} lists the {collection} of everybody but herself"
        others = query(collection, uid="alice", operator="NOT_EQUAL")
        yield ForgedRequest(name, ALICE, others, Outcome.FAILED)
        for client in (ALICE, ORGANISER):
            group = query(collection, uid="alice", descendants=True)
            name = f"{client} lists the {collection} of alice in every path"
            yield ForgedRequest(name, client, group, Outcome.NO_RULE)


def claims() -> Iterator[ForgedRequest]:
    """Yield requests that only organisers may make, by clients with claims that resemble theirs."""
    for client in FORGED_CLAIMS:
        for name, call in (
            ("reads the audit", get("audit/entry")),
            ("reads an order", get("orders/alices")),
            ("puts on a show", create(f"shows/{_own_id(client)}", show())),
        ):
            yield ForgedRequest(f"{client} {name}", client, call, Outcome.DENIED)
    for name, call in (
        ("lists the shows", query("shows")),
        ("places", create("orders/x", order())),
    ):
        yield ForgedRequest(f"no JWT {name}", "no JWT", call, Outcome.INVALID)
    yield ForgedRequest(
        "an empty uid reads the order without a buyer",
        "an empty uid",
        get("orders/nulls"),
        Outcome.DENIED,
    )


# Writes of stored documents, and writes where no client may write


def writes_of_stored_documents() -> Iterator[ForgedRequest]:
    """Yield changes and deletions of every stored document, which no client may make."""
    for path in STORED:
        for client in (NOBODY, ALICE, ORGANISER):
            for name, call in (
                ("updates", update(path, {"uid": "alice"})),
                ("deletes", delete(path)),
            ):
                # Setting a document that exists is an update.
                is_note = path.startswith("buyers/") and name == "updates"
                outcome = Outcome.DENIED if is_note else Outcome.NO_RULE
                yield ForgedRequest(f"{client} {name} {path}", client, call, outcome)
    for state in State:
        change = update("orders/alices", {"state": state.value})
        name = f"{ALICE} moves her order to {state.value}"
        yield ForgedRequest(name, ALICE, change, Outcome.NO_RULE)
    for fields in (
        {"seats": 8},
        {"amount_cents": 1},
        {"hold_until": STARTS_AT},
        {"charge_id": "ch_1"},
        {"reason": "sold_out"},
        {"moved_at": {"ticketed": STARTS_AT}},
        {"placed_at": STARTS_AT},
        {"_trace": {"traceparent": TRACEPARENT}},
        {"uid": "bob"},
    ):
        name = f"{ALICE} changes {next(iter(fields))} of her order"
        call = update("orders/alices", fields)
        yield ForgedRequest(name, ALICE, call, Outcome.NO_RULE)
    overwrite = set_("orders/alices", order(), ("placed_at",))
    yield ForgedRequest(f"{ALICE} overwrites her order", ALICE, overwrite, Outcome.NO_RULE)
    overwrite = set_("shows/night-ferry", show())
    yield ForgedRequest(f"{ORGANISER} overwrites a show", ORGANISER, overwrite, Outcome.DENIED)
    for client, outcome in {
        # Until Firestore has read the document, this may be a creation, which they are denied.
        **dict.fromkeys((NOBODY, ALICE), Outcome.DENIED),
        ORGANISER: Outcome.NO_RULE,
    }.items():
        for amount in (1, -1):
            name = f"{client} adds {amount} to the seats left"
            call = add("shows/night-ferry", "seats_left", amount)
            yield ForgedRequest(name, client, call, outcome)


def creations_elsewhere() -> Iterator[ForgedRequest]:
    """Yield creations of documents that only the functions write."""
    forged: dict[str, dict[str, Any]] = {
        "tickets/forged-1": {"uid": "alice", "code": "FORGED"},
        "roles/forged": {"role": "organiser"},
        "tally/1": {"orders": 1, "seats": 1},
        "audit/forged": {"order_id": "alices", "state": "ticketed"},
        "buyer_holds/forged": {"orders": 0, "seats": 0},
        "show_holds/forged": {"seats": 0},
        "sweeps/forged": {"placed_at": BEGUN_AT},
        "flags/forged": {"on": True},
        "dead_letters/forged": {"stage": "settle"},
        "anything/forged": {"uid": "alice"},
        "orders/alices/private/forged": order(),
        "shows/night-ferry/orders/forged": order(),
    }
    for path, fields in forged.items():
        for client in (NOBODY, ALICE, ORGANISER):
            call = create(path, fields)
            yield ForgedRequest(f"{client} creates {path}", client, call, Outcome.NO_RULE)


# New orders


def orders() -> Iterator[ForgedRequest]:
    """Yield new orders: legal ones, and ones in which one field is forged."""
    for client, outcome in {
        NOBODY: Outcome.DENIED,
        ALICE: Outcome.ALLOWED,
        BOB: Outcome.DENIED,
        ORGANISER: Outcome.DENIED,
    }.items():
        yield _placed(f"{client} places an order of alice's", order(), outcome, client=client)
    legal: dict[str, list[object]] = {
        "show_id": ["a", "9", "-", "x" * 64],
        "seats": [1, 2, 8],
        "card_token": ["tok_" + "x" * 8, "tok_" + "Z9_" * 21 + "x"],
        "asked_at": [datetime(1999, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)],
    }
    wrong_types: list[object] = [MISSING, None, True, 7, 1.5, "", [], {}, ["alice"], STARTS_AT]
    forged: dict[str, list[object]] = {
        "uid": [*wrong_types, "bob", "Alice", "alice ", "alice\n"],
        "show_id": [
            *(value for value in wrong_types),
            *("UPPER", "under_score", "with space", "x" * 65, "a/b", "../orders/alices", "."),
            *("é", "😀", "a\nb", "a\n", '"', "a'", "night-ferry\x00", {"night-ferry": 1}),
        ],
        "seats": [
            *(value for value in wrong_types if value != 7),
            *(0, -1, 9, 2**31, 2**63 - 1, -(2**63), "2", 1.0, [1], {"1": 1}),
        ],
        "card_token": [
            *wrong_types,
            *("4242424242424242", "tok_", "tok_" + "x" * 7, "tok_" + "x" * 65, "TOK_xxxxxxxx"),
            *("tok_xxxxxxxx\n", "tok_xxxx xxxx", "tok_xxxx-xxxx", "tok_éééééééé", " tok_xxxxxxxx"),
        ],
        "state": [*wrong_types, *(state.value for state in State if state is not State.PLACED)],
        "asked_at": [None, True, 7, 1.5, "", "2026-01-01T00:00:00Z", [], {}],
        "placed_at": [
            *(value for value in wrong_types if value is not MISSING),
            datetime(2026, 1, 1, tzinfo=UTC),
        ],
        # Fields that only the functions write, and fields that nothing writes.
        "amount_cents": [1, None],
        "currency": ["EUR"],
        "hold_until": [STARTS_AT],
        "charge_id": ["ch_1"],
        "reason": ["sold_out"],
        "moved_at": [{}],
        "role": ["organiser"],
        "note": ["x" * 1000],
        "_Trace": [{"traceparent": TRACEPARENT}],
        "😀": [1],
    }
    for expected, table in ((Outcome.ALLOWED, legal), (Outcome.DENIED, forged)):
        for key, values in table.items():
            for value in values:
                name = f"{ALICE} places an order with {key} {_shown(value)}"
                yield _placed(name, order(**{key: value}), expected)
    unstamped = noted(create("orders/unstamped", order()), "unstamped", ALICE)
    yield ForgedRequest(f"{ALICE} places an order unstamped", ALICE, unstamped, Outcome.DENIED)
    empty = noted(create("orders/empty", {}), "empty", ALICE)
    yield ForgedRequest(f"{ALICE} places an empty order", ALICE, empty, Outcome.DENIED)
    buyer, fields = "pages-buyer", order(uid="pages-buyer", asked_at=STARTS_AT)
    as_the_page = noted(set_("orders/as-the-page", fields, ("placed_at",)), "as-the-page", buyer)
    name = f"{ALICE} places an order as the page does"
    yield ForgedRequest(name, buyer, as_the_page, Outcome.ALLOWED)
    yield _placed(f"{ALICE} orders of a begun show", order(show_id="begun"), Outcome.DENIED)
    # Without the show, or its start, there is nothing to compare with.
    for show_id in ("missing", "timeless"):
        name = f"{ALICE} orders of a show that is {show_id}"
        yield _placed(name, order(show_id=show_id), Outcome.FAILED)


def order_notes() -> Iterator[ForgedRequest]:
    """Yield orders without a proper note that they are their buyer's latest, and forged notes."""

    def place(order_id: str, uid: str, *notes: Call) -> Call:
        return together(create(f"orders/{order_id}", order(uid=uid), ("placed_at",)), *notes)

    for name, uid, call, outcome in (
        ("no note", "n1", place("n1", "n1"), Outcome.FAILED),
        ("an old note", "ready", place("n2", "ready"), Outcome.DENIED),
        ("a note of another order", "n3", place("n3", "n3", note("n3", "other")), Outcome.DENIED),
        ("another buyer's note", "n4", place("n4", "n4", note("n5", "n4")), Outcome.DENIED),
        (
            "a note after a pause",
            "ready",
            place("n6", "ready", note("ready", "n6")),
            Outcome.ALLOWED,
        ),
        ("a note too soon", "early", place("n7", "early", note("early", "n7")), Outcome.DENIED),
        # The rules let no such note in; the order's own rule holds all the same.
        ("a note of an unusable id", "odd", place("a b", "odd"), Outcome.DENIED),
        ("no note, signed out", NOBODY, place("n9", "alice"), Outcome.DENIED),
    ):
        yield ForgedRequest(f"a buyer orders with {name}", uid, call, outcome)
    for when in ("before", "after"):
        first, second = (
            create(f"orders/n8-{when}-{number}", order(uid="n8"), ("placed_at",)) for number in "12"
        )
        one_note = note("n8", f"n8-{when}-{'1' if when == 'after' else '2'}")
        name = f"a buyer orders twice in one commit, the noted one {when} the other"
        call = together(first, second, one_note)
        yield ForgedRequest(name, "n8", call, Outcome.DENIED)
        both = together(*(first, note("n8", f"n8-{when}-1"), second, note("n8", f"n8-{when}-2")))
        name = f"a buyer orders twice in one commit, with two notes, {when}"
        yield ForgedRequest(name, "n8", both, Outcome.DENIED)
    forged: list[dict[str, object]] = [
        {"note": "an extra field"},
        *_each("last_order_id", MISSING, None, 7, "", "a b", "x" * 65, ["x"]),
        *_each("last_order_at", MISSING, None, 7, BEGUN_AT, STARTS_AT),
        *_each("_trace", MISSING, None, {}, TRACEPARENT, {"traceparent": "nonsense"}),
    ]
    for uid in ("ready", "nobody-yet"):
        for changes in forged:
            name = f"{uid} notes an order with {_shown(changes)}"
            yield ForgedRequest(name, uid, note(uid, "x", **changes), Outcome.DENIED)
        name = f"{NOBODY} notes an order of {uid}"
        yield ForgedRequest(name, NOBODY, note(uid, "x"), Outcome.DENIED)
        for client in (BOB, ORGANISER):
            name = f"{client} notes an order of {uid}"
            yield ForgedRequest(name, client, note(uid, "x"), Outcome.DENIED)


def order_ids() -> Iterator[ForgedRequest]:
    """Yield new orders with ids that every stage accepts, and with ids that some stage refuses."""
    for order_id in (
        *("a", "7", "Z", "9mJ3bTq0RrVwXyZ1aBcD", "8c0f5d8e-5a55-4e0c-9a3a-0c9b1f4f7f4e"),
        *("night-ferry-copy-copy", "x" * 64),
    ):
        yield _placed_as(order_id, Outcome.ALLOWED)
    for order_id in (
        *("x" * 65, "x" * 66, "x" * 127, "x" * 128, "x" * 255, "x" * 256, "x" * 500, "x" * 1000),
        *("x" * 1499, "x" * 1500, "é" * 64, "é" * 750, "😀" * 16, "漢字"),
        *("a b", " a", "a ", "a\tb", "a\nb", "a\n", "\na", "a\r\nb", "a\x00b", "a\x1bb", "a\x7fb"),
        *('a"b', "a'b", "a`b", "a\\b", "a%2Fb", "a%00b", "a.b", ".a", "a..", "a:b", "a;b", "a,b"),
        *("a=b", "a?b", "a#b", "a&b", "a+b", "a*b", "a@b", "a|b", "a$b", "{a}", "[a]", "<a>", "~a"),
        *(
            "a_b",
            "_a_",
            "__a",
            "a__",
            "____",
            "\u200ba",
            "a\u202eb",
            "e\u0301",
            "\ufeffa",
            "ａ",
            "١",
        ),
        *("a\u2028b", "a\u0085b"),
    ):
        yield _placed_as(order_id, Outcome.DENIED)
    for order_id in ("", ".", "..", "__x__", "x" * 1501, "é" * 751):
        yield _placed_as(order_id, Outcome.INVALID)
    for order_id in ("a/b/c", "a/orders/b"):
        yield _placed_as(order_id, Outcome.NO_RULE)


def order_traces() -> Iterator[ForgedRequest]:
    """Yield new orders that carry trace context, well-formed and not."""
    for trace in (
        {"traceparent": TRACEPARENT},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-00"},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-ff"},
        {"traceparent": TRACEPARENT, "tracestate": ""},
        {"traceparent": TRACEPARENT, "tracestate": "vendor=opaque,other@tenant=~ !"},
        {"traceparent": TRACEPARENT, "tracestate": "x" * 512},
        {"traceparent": TRACEPARENT, "baggage": ""},
        {"traceparent": TRACEPARENT, "baggage": "order.id=1,show.id=%F0%9F%98%80;ttl=3"},
        {"traceparent": TRACEPARENT, "baggage": "x" * 8192},
        {"traceparent": TRACEPARENT, "tracestate": "x" * 512, "baggage": "x" * 8192},
    ):
        yield _placed(f"{ALICE} sends _trace {_shown(trace)}", order(_trace=trace), Outcome.ALLOWED)
    traceparents: list[object] = [
        *(MISSING, None, True, 7, 1.5, "", [], {}, [TRACEPARENT], {"traceparent": TRACEPARENT}),
        *("nonsense", f"00-{'0' * 32}-{SPAN_ID}-01", f"00-{TRACE_ID}-{'0' * 16}-01"),
        *(f"00-{TRACE_ID.upper()}-{SPAN_ID}-01", f"00-{TRACE_ID}-{SPAN_ID.upper()}-01"),
        *(f"00-{TRACE_ID}-{SPAN_ID}-0A", f"00-{TRACE_ID}-{SPAN_ID}-1", f"00-{TRACE_ID}-{SPAN_ID}"),
        *(f"{TRACEPARENT}-more", f"{TRACEPARENT}\n", f" {TRACEPARENT}", f"{TRACEPARENT} "),
        *(f"\n{TRACEPARENT}", f"{TRACEPARENT}\x00", f"{TRACEPARENT},{TRACEPARENT}"),
        *(f"ff{TRACEPARENT[2:]}", f"01{TRACEPARENT[2:]}", TRACEPARENT.replace("-", "_")),
        *(f"00-{TRACE_ID[1:]}-{SPAN_ID}-01", f"00-{TRACE_ID}0-{SPAN_ID}-01"),
        *(f"00-{TRACE_ID}-{SPAN_ID[1:]}-01", f"00-{TRACE_ID}-{SPAN_ID}0-01", "x" * 8192),
        f"00-{TRACE_ID.replace('0', '٠')}-{SPAN_ID}-01",
    ]
    texts: list[object] = [
        *(None, True, 7, 1.5, [], {}, ["a=1"], {"a": "1"}),
        *("a=1\n", "\na=1", "a=1\r\nx-forged: 1", "a=1\x00", "a=\x1b[31m1", "a=1\x7f", "a=1\tb=2"),
        *("a=é", "a=😀", "a=\u2028", "a=\u0085", "a=\ufeff"),
    ]
    too_long: dict[str, list[object]] = {
        "tracestate": ["x" * 513, "x" * 100_000],
        "baggage": ["x" * 8193, "x" * 100_000],
    }
    for value in traceparents:
        name = f"{ALICE} sends traceparent {_shown(value)}"
        yield _placed(name, order(_trace=_without_missing({"traceparent": value})), Outcome.DENIED)
    for key, long_values in too_long.items():
        for value in [*texts, *long_values]:
            trace = {"traceparent": TRACEPARENT, key: value}  # type: ignore[dict-item]
            name = f"{ALICE} sends {key} {_shown(value)}"
            yield _placed(name, order(_trace=trace), Outcome.DENIED)
    for trace_value in (MISSING, None, True, 7, 1.5, "", TRACEPARENT, [], [TRACEPARENT], STARTS_AT):
        name = f"{ALICE} sends _trace {_shown(trace_value)}"
        yield _placed(name, order(_trace=trace_value), Outcome.DENIED)
    for key in ("note", "email", "Traceparent", "x-throughline-context", "__proto", "😀"):
        trace = {"traceparent": TRACEPARENT, key: "a@example.org"}
        name = f"{ALICE} sends {key} in _trace"
        yield _placed(name, order(_trace=trace), Outcome.DENIED)


# New shows


def shows() -> Iterator[ForgedRequest]:
    """Yield new shows: legal ones, and ones in which one field is forged."""
    for client, outcome in {
        NOBODY: Outcome.DENIED,
        ALICE: Outcome.DENIED,
        ORGANISER: Outcome.ALLOWED,
    }.items():
        call = create(f"shows/by-{client}", show())
        yield ForgedRequest(f"{client} puts on a show", client, call, outcome)
    as_the_page = set_("shows/as-the-page", show(_trace={"traceparent": TRACEPARENT}))
    name = f"{ORGANISER} puts on a show as the page does"
    yield ForgedRequest(name, ORGANISER, as_the_page, Outcome.ALLOWED)
    hour = timedelta(hours=1)
    legal: list[dict[str, object]] = [
        {"title": "x", "venue": "x", "city": "x", "blurb": "x"},
        {"title": "é" * 120, "venue": "x" * 120, "city": "x" * 80, "blurb": "x" * 500},
        {"sale_ends_at": STARTS_AT},
        {"sale_ends_at": STARTS_AT - hour},
        {"price_cents": 1},
        {"price_cents": 1_000_000},
        {"seats_total": 1, "seats_left": 1},
        {"seats_total": 100_000, "seats_left": 100_000},
        {"rank": 0},
        {"_trace": {"traceparent": TRACEPARENT}},
    ]
    wrong_types: list[object] = [MISSING, None, True, 1.5, "", [], {}]
    forged: list[dict[str, object]] = [
        *(
            changes
            for key in ("title", "venue", "city", "blurb")
            for changes in _each(key, *wrong_types, 7, ["x"], {"x": 1}, "x" * 501)
        ),
        {"title": "x" * 121},
        {"venue": "x" * 121},
        {"city": "x" * 81},
        *_each("starts_at", *wrong_types, 7, "tomorrow"),
        {"starts_at": "tomorrow", "sale_ends_at": STARTS_AT},
        {"sale_ends_at": STARTS_AT + timedelta(microseconds=1)},
        *_each("sale_ends_at", None, True, 7, "", "tomorrow", [], {}),
        *_each("price_cents", *wrong_types, 0, -1, 1_000_001, 2**63 - 1, 9.5),
        *_each("currency", *wrong_types, "USD", "eur", "EUR ", ["EUR"]),
        *(
            changes | {"seats_left": changes["seats_total"]}
            for changes in _each("seats_total", 0, -1, 100_001, 10.0, "10", None, [1])
        ),
        *_each("seats_left", *wrong_types, 9, 11, 10.0, "10"),
        *_each("seats_total", *wrong_types, 9, 11, 10.0, "10"),
        *_each("rank", *wrong_types, 1.0, "first"),
        *_each("_trace", None, True, 7, "", TRACEPARENT, [], {}),
        {"_trace": {"traceparent": "nonsense"}},
        {"_trace": {"traceparent": TRACEPARENT, "tracestate": "a=1\n"}},
        {"note": "an extra field"},
        {"uid": "olga"},
        {"state": "placed"},
    ]
    for expected, table in ((Outcome.ALLOWED, legal), (Outcome.DENIED, forged)):
        for fields in table:
            name = f"{ORGANISER} puts on a show with {_shown(fields)}"
            call = create(f"shows/{_own_id(name)}", show(**fields))
            yield ForgedRequest(name, ORGANISER, call, expected)


def show_ids() -> Iterator[ForgedRequest]:
    """Yield new shows under ids that an order may name, and ids that it may not."""
    for expected, ids in {
        Outcome.ALLOWED: ["a", "7", "a-1", "x" * 64],
        Outcome.DENIED: [
            *("Upper", "under_score", "x" * 65, "x" * 1500, "a b", "a\n", "\na", "é", "😀", 'a"b'),
            *("a.b", "a%2Fb", "a\x00"),
        ],
        Outcome.INVALID: ["", ".", "..", "__x__", "x" * 1501],
        Outcome.NO_RULE: ["a/b/c"],
    }.items():
        for show_id in ids:
            name = f"{ORGANISER} puts on a show as {_shown(show_id)}"
            yield ForgedRequest(name, ORGANISER, create(f"shows/{show_id}", show()), expected)


def batches() -> Iterator[ForgedRequest]:
    """Yield commits of two writes, of which one is forged: neither may be stored."""
    for what, forged, outcome in (
        ("an update of stock", update("shows/night-ferry", {"seats_left": 9}), Outcome.NO_RULE),
        ("a ticket", create("tickets/batched-1", {"uid": "alice"}), Outcome.NO_RULE),
        (
            "an order of bob's",
            create("orders/batched", order(uid="bob"), ("placed_at",)),
            Outcome.DENIED,
        ),
    ):
        for when in ("after", "before"):
            name = f"{ALICE} commits {what} {when} a legal order"
            buyer = order_id = _own_id(name)
            placed = create(f"orders/{order_id}", order(uid=buyer), ("placed_at",))
            legal = noted(placed, order_id, buyer)
            calls = (legal, forged) if when == "after" else (forged, legal)
            yield ForgedRequest(name, buyer, together(*calls), outcome)


# Parts of the rows


def order(**changes: object) -> dict[str, Any]:
    """Return a valid order of alice's with `changes` to its fields."""
    fields: dict[str, Any] = {
        "uid": "alice",
        "show_id": "night-ferry",
        "seats": 1,
        "card_token": "tok_0000000000000000_approved",
        "state": "placed",
        "_trace": {"traceparent": TRACEPARENT},
        **changes,
    }
    return _without_missing(fields)


def show(**changes: object) -> dict[str, Any]:
    """Return a valid show with `changes` to its fields."""
    fields: dict[str, Any] = {
        "title": "A Test in Three Acts",
        "venue": "Studio",
        "city": "Delft",
        "blurb": "For one night only.",
        "starts_at": STARTS_AT,
        "price_cents": 1000,
        "currency": "EUR",
        "seats_total": 10,
        "seats_left": 10,
        "rank": 99,
        **changes,
    }
    return _without_missing(fields)


def get(*paths: str) -> Call:
    """Return a read of documents by their paths."""
    return Call(":batchGet", {"documents": [f"{DOCUMENTS}/{path}" for path in paths]})


def query(
    collection: str,
    *,
    limit: int | None = None,
    operator: str = "EQUAL",
    descendants: bool = False,
    **equal: object,
) -> Call:
    """Return a query for documents whose fields have the values of `equal`; by default, for all."""
    structured: dict[str, Any] = {
        "from": [{"collectionId": collection, "allDescendants": descendants}]
    }
    if limit is not None:
        structured["limit"] = limit
    for field, value in equal.items():
        path = {"fieldPath": field}
        structured["where"] = (
            {"unaryFilter": {"field": path, "op": "IS_NULL"}}
            if value is None
            else {"fieldFilter": {"field": path, "op": operator, "value": encode(value)}}
        )
    return Call(":runQuery", {"structuredQuery": structured})


def count(collection: str) -> Call:
    """Return a query for the number of documents of a collection."""
    structured = {"from": [{"collectionId": collection}]}
    aggregation = {"structuredQuery": structured, "aggregations": [{"count": {}}]}
    return Call(":runAggregationQuery", {"structuredAggregationQuery": aggregation})


def create(path: str, fields: Mapping[str, Any], server_times: tuple[str, ...] = ()) -> Call:
    """Return the creation of a document; Firestore sets the fields `server_times` to its time."""
    return _commit(_write(path, fields, server_times) | {"currentDocument": {"exists": False}})


def set_(path: str, fields: Mapping[str, Any], server_times: tuple[str, ...] = ()) -> Call:
    """Return a write of a document, whether or not it exists."""
    return _commit(_write(path, fields, server_times))


def update(path: str, fields: Mapping[str, Any]) -> Call:
    """Return a change of some fields of a document."""
    write = _write(path, fields, ()) | {"updateMask": {"fieldPaths": list(fields)}}
    return _commit(write | {"currentDocument": {"exists": True}})


def add(path: str, field: str, amount: int) -> Call:
    """Return an addition to a field of a document."""
    transform = {"fieldPath": field, "increment": encode(amount)}
    document = f"{DOCUMENTS}/{path}"
    return _commit({"transform": {"document": document, "fieldTransforms": [transform]}})


def delete(path: str) -> Call:
    """Return the deletion of a document."""
    return _commit({"delete": f"{DOCUMENTS}/{path}"})


def note(uid: str, order_id: str, **changes: object) -> Call:
    """Return a write of the note that an order is its buyer's latest one, but for `changes`."""
    fields = {"last_order_id": order_id, "_trace": {"traceparent": TRACEPARENT}, **changes}
    stamped = () if "last_order_at" in fields else ("last_order_at",)
    return set_(f"buyers/{uid}", _without_missing(fields), stamped)


def noted(placing: Call, order_id: str, uid: str) -> Call:
    """Return the commit of an order together with its note."""
    return together(placing, note(uid, order_id))


def together(*calls: Call) -> Call:
    """Return one commit of the writes of several."""
    return Call(":commit", {"writes": [write for call in calls for write in call.body["writes"]]})


def _commit(write: Mapping[str, Any]) -> Call:
    return Call(":commit", {"writes": [write]})


def _write(path: str, fields: Mapping[str, Any], server_times: tuple[str, ...]) -> dict[str, Any]:
    return {
        "update": {"name": f"{DOCUMENTS}/{path}", **encode(dict(fields))["mapValue"]},
        "updateTransforms": [
            {"fieldPath": field, "setToServerValue": "REQUEST_TIME"} for field in server_times
        ],
    }


def _placed(
    name: str, fields: dict[str, Any], expected: Outcome, client: str = ALICE
) -> ForgedRequest:
    """Return a creation of an order; Firestore sets `placed_at` unless `fields` has one.

    Each of alice's has a buyer of its own, because the rules limit how often one places orders.
    """
    order_id = _own_id(name)
    if client == ALICE:
        client = order_id
        if fields.get("uid") == ALICE:
            fields = {**fields, "uid": client}
    stamped = () if "placed_at" in fields else ("placed_at",)
    call = noted(create(f"orders/{order_id}", fields, stamped), order_id, client)
    return ForgedRequest(name, client, call, expected)


def _placed_as(order_id: str, expected: Outcome) -> ForgedRequest:
    name = f"{ALICE} places an order as {_shown(order_id)}"
    buyer = _own_id(name)
    call = create(f"orders/{order_id}", order(uid=buyer), ("placed_at",))
    if expected is not Outcome.INVALID:
        call = noted(call, order_id, buyer)
    return ForgedRequest(name, buyer, call, expected)


def _each(key: str, *values: object) -> list[dict[str, object]]:
    """Return the changes that give a field each of some values."""
    return [{key: value} for value in values]


def _own_id(name: str) -> str:
    """Return a document id that no other row uses."""
    return f"row-{zlib.crc32(name.encode()):08x}"


def _without_missing(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not MISSING}


def _shown(value: object) -> str:
    """Return a value as short ASCII text, for the name of a row."""
    if value is MISSING:
        return "missing"
    text = ascii(value)
    return text if len(text) <= 100 else f"{text[:40]}… ({len(text)} characters)"
