"""Trace context in HTTP headers, after W3C Trace Context levels 1 and 2."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage, context, trace

from throughline import carrier, http_request

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE_ID}-{SPAN_ID}-01"
OTHER = f"00-{'1' * 32}-{'2' * 16}-00"

hexadecimal = st.text("0123456789abcdef", min_size=1)
trace_ids = st.text("0123456789abcdef", min_size=32, max_size=32).filter(lambda t: int(t, 16))
span_ids = st.text("0123456789abcdef", min_size=16, max_size=16).filter(lambda t: int(t, 16))
flags = st.text("0123456789abcdef", min_size=2, max_size=2)
later_versions = st.text("0123456789abcdef", min_size=2, max_size=2).filter(
    lambda version: version not in ("00", "ff")
)
header_texts = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"))

KEY_START, KEY_REST = (
    string.ascii_lowercase + string.digits,
    string.ascii_lowercase + string.digits + "_-*/@",
)
keys = st.builds(str.__add__, st.sampled_from(KEY_START), st.text(KEY_REST, max_size=20))
VALUE = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in ",=")
values = st.builds(str.__add__, st.text(VALUE + " ", max_size=20), st.sampled_from(VALUE))
lists = st.dictionaries(keys, values, min_size=1, max_size=10).map(lambda d: list(d.items()))
white = st.text(" \t", max_size=3)


def read(*headers: tuple[str, str]) -> carrier.Arrival:
    """Read the trace context of these headers."""
    return http_request.read(http_request.combined(headers))


def forwarded(arrival: carrier.Arrival) -> dict[str, str]:
    """Return the headers that a function with this arrival sends, with the parent's own span id."""
    token = context.attach(arrival.context)
    try:
        return http_request.write()
    finally:
        context.detach(token)


def ids(arrival: carrier.Arrival) -> tuple[str, str] | None:
    """Return the received trace id and span id, or None."""
    remote = arrival.span_context
    return remote and (trace.format_trace_id(remote.trace_id), trace.format_span_id(remote.span_id))


@given(trace_ids, span_ids, flags)
def test_every_traceparent_of_version_00_is_carried(trace_id: str, span_id: str, flag: str) -> None:
    """Ids may be anything but zeros, flags anything; only the lowest bit means sampled."""
    arrival = read(("traceparent", f"00-{trace_id}-{span_id}-{flag}"))
    assert (arrival.state, ids(arrival)) == ("carried", (trace_id, span_id))
    assert arrival.span_context
    assert arrival.span_context.trace_flags.sampled == bool(int(flag, 16) & 1)


@given(later_versions, trace_ids, span_ids, flags, st.text(VALUE, max_size=40))
def test_the_known_fields_of_a_later_version_are_read(
    version: str, trace_id: str, span_id: str, flag: str, rest: str
) -> None:
    """Fields after the flags belong to the later version and are ignored."""
    known = f"{version}-{trace_id}-{span_id}-{flag}"
    assert ids(read(("traceparent", known))) == (trace_id, span_id)
    assert ids(read(("traceparent", f"{known}-{rest}"))) == (trace_id, span_id)
    assert forwarded(read(("traceparent", known)))["traceparent"].startswith("00-")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-",
        TRACE_ID,
        GOOD + "-",
        GOOD + "-more",
        GOOD + ".",
        GOOD[:-1],
        GOOD + "0",
        GOOD.replace("-", ""),
        GOOD.replace("-", "_"),
        f"0-{TRACE_ID}-{SPAN_ID}-01",
        f"000-{TRACE_ID}-{SPAN_ID}-01",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"FF-{TRACE_ID}-{SPAN_ID}-01",
        f"0x-{TRACE_ID}-{SPAN_ID}-01",
        f"cc-{TRACE_ID}-{SPAN_ID}-01.what",
        f"cc-{TRACE_ID}-{SPAN_ID}-0100",
        f"CC-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID.upper()}-01",
        f"00-{TRACE_ID}-{SPAN_ID}-0A",
        f"00-{TRACE_ID}-{SPAN_ID}-.0",
        f"00-{TRACE_ID}-{SPAN_ID}-1",
        f"00-{TRACE_ID}-{SPAN_ID}-",
        f"00-{TRACE_ID}-{SPAN_ID}",
        f"00-{TRACE_ID[:-1]}-{SPAN_ID}-01",
        f"00-{TRACE_ID}0-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID[:-1]}-01",
        f"00-{TRACE_ID}-{SPAN_ID}0-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{'.' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID[:-1]}١-{SPAN_ID}-01",
        f"{GOOD},{GOOD}",
        f'"{GOOD}"',
        "x" * 9000,
    ],
    ids=lambda value: value[:60] or "empty",
)
def test_a_traceparent_that_breaks_the_format_is_invalid(value: str) -> None:
    """Wrong lengths, case, versions, separators and zeros have a reason each."""
    arrival = read(("traceparent", value), ("tracestate", "a=1"))
    assert (arrival.state, arrival.span_context) == ("invalid", None)
    assert arrival.reason
    assert forwarded(arrival) == {}


@given(header_texts, header_texts, header_texts, header_texts)
def test_arbitrary_headers_do_not_raise(one: str, two: str, three: str, four: str) -> None:
    """A reason does not quote the headers."""
    arrival = read(
        ("traceparent", one), ("tracestate", two), ("baggage", three), (carrier.COPY, four)
    )
    assert arrival.state in ("invalid", "carried")
    assert arrival.reason is None or arrival.reason.isprintable()


@given(st.data())
def test_header_names_are_case_insensitive(data: st.DataObject) -> None:
    """Proxies may change the case of the letters."""

    def anyhow(name: str) -> str:
        return "".join(data.draw(st.sampled_from((c.lower(), c.upper()))) for c in name)

    arrival = read((anyhow("traceparent"), GOOD), (anyhow("tracestate"), "a=1"))
    assert ids(arrival) == (TRACE_ID, SPAN_ID)
    assert forwarded(arrival)["tracestate"] == "a=1"
    for other in ("trace-parent", "trace.parent", "trace_parent"):
        assert read((other, GOOD)).state == "absent"


@given(white, white)
def test_white_space_around_a_value_is_not_part_of_it(before: str, after: str) -> None:
    """RFC 9110 allows spaces and tabs around a value."""
    assert ids(read(("traceparent", f"{before}{GOOD}{after}"))) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize("second", [GOOD, OTHER, "rubbish"])
def test_two_traceparents_are_invalid(second: str) -> None:
    """That includes two equal ones, because their authors are unknown."""
    assert read(("traceparent", GOOD), ("Traceparent", second)).state == "invalid"


@given(lists, white, white, st.data())
def test_a_tracestate_is_forwarded_in_its_order(
    entries: list[tuple[str, str]], before: str, after: str, data: st.DataObject
) -> None:
    """The order stays; white space and empty members are removed and header fields joined."""
    members = [f"{key}={value}" for key, value in entries]
    cut = data.draw(st.integers(0, len(members)))
    gap = f"{after},{before},{before}"
    headers = [("tracestate", gap.join(part)) for part in (members[:cut], members[cut:])]
    arrival = read(("traceparent", GOOD), *headers)
    kept = forwarded(arrival).get("tracestate", "")
    forwarded_list = ",".join(member.strip(" ") for member in members)
    if len(forwarded_list) <= 512:
        assert kept == forwarded_list
    assert ids(arrival) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize(
    "state",
    [
        "z" * 256 + "=1",
        "t" * 241 + "@" + "v" * 14 + "=1",
        "1a=1",
        "a-_*/=1",
        "a@b@c=1",
        "a=" + "v" * 256,
        "a= leading",
        "a=with space",
        ",".join(f"a{n}=1" for n in range(32)),
    ],
    ids=lambda state: state[:30],
)
def test_a_tracestate_at_the_limits_is_forwarded(state: str) -> None:
    """Values exactly at the limits are kept."""
    assert forwarded(read(("traceparent", GOOD), ("tracestate", state)))["tracestate"] == state


@pytest.mark.parametrize(
    "state",
    [
        "z" * 257 + "=1",
        "A=1",
        "@a=1",
        "_a=1",
        "a",
        "a=",
        "=1",
        "a=1=2",
        "a =1",
        "a=" + "v" * 257,
        "a=\x7f",
        "a=é",
        "a=1;b=2",
        "a=1,b",
        ",".join(f"a{n}=1" for n in range(33)),
    ],
    ids=lambda state: ascii(state)[:30],
)
def test_a_malformed_tracestate_is_dropped_alone(state: str) -> None:
    """The list is dropped whole; the traceparent is still used."""
    arrival = read(("traceparent", GOOD), ("tracestate", state))
    assert ids(arrival) == (TRACE_ID, SPAN_ID)
    assert "tracestate" not in forwarded(arrival)


def test_a_tracestate_over_512_characters_loses_its_big_members_first() -> None:
    """Members over 128 characters go first, from the right; then others from the right."""
    big, small = "big=" + "v" * 250, [f"a{n}=" + "v" * 40 for n in range(12)]
    members = [small[0], big, *small[1:]]
    kept = forwarded(read(("traceparent", GOOD), ("tracestate", ",".join(members))))["tracestate"]
    assert kept == ",".join(small[:11])
    assert len(kept) <= 512


@pytest.mark.parametrize("length", [513, 4097, 8192, 100_000])
def test_a_tracestate_that_cannot_be_shortened_is_dropped_alone(length: int) -> None:
    """A single member of that length is removed; the traceparent is still used."""
    arrival = read(("traceparent", GOOD), ("tracestate", "a=" + "x" * (length - 2)))
    assert ids(arrival) == (TRACE_ID, SPAN_ID)
    assert arrival.reason == "tracestate is longer than 512 characters"
    assert "tracestate" not in forwarded(arrival)


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ("foo=1,bar=2,foo=1", "foo=1,bar=2"),
        ("foo=1,bar=2,foo=3,baz=4,bar=5", "foo=1,bar=2,baz=4"),
        ("foo=1,foo=1", "foo=1"),
        ("foo=1, foo = 2,bar=2", None),
    ],
)
def test_the_first_member_of_a_repeated_key_is_kept(state: str, kept: str | None) -> None:
    """The other keys keep their order."""
    assert forwarded(read(("traceparent", GOOD), ("tracestate", state))).get("tracestate") == kept


def test_a_tracestate_without_a_traceparent_is_ignored() -> None:
    assert read(("tracestate", "a=1")).state == "absent"
    assert read().state == "absent"


def test_the_copy_wins_over_a_rewritten_traceparent() -> None:
    """Google's front end overwrites traceparent; ids and sampled flag come from the copy."""
    arrival = read(("traceparent", OTHER), (carrier.COPY, GOOD), ("tracestate", "a=1"))
    assert ids(arrival) == (TRACE_ID, SPAN_ID)
    assert arrival.span_context
    assert arrival.span_context.trace_flags.sampled
    assert forwarded(arrival) == {
        "traceparent": GOOD,
        carrier.COPY: GOOD,
        "tracestate": "a=1",
    }


@pytest.mark.parametrize("copy", ["", "rubbish", GOOD.upper(), f"{GOOD},{GOOD}"])
def test_an_invalid_copy_does_not_win(copy: str) -> None:
    """Then traceparent is used; without one, the context is invalid because of the copy."""
    assert ids(read(("traceparent", GOOD), (carrier.COPY, copy))) == (TRACE_ID, SPAN_ID)
    assert read((carrier.COPY, copy)).state == "invalid"


@given(flags)
def test_unknown_flags_are_not_forwarded(flag: str) -> None:
    """An outgoing traceparent sets only the sampled and random flags (level 2, 3.2.2.5)."""
    from opentelemetry.sdk.trace import TracerProvider

    arrival = read(("traceparent", f"00-{TRACE_ID}-{SPAN_ID}-{flag}"))
    span = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("s", arrival.context)
    sent = int(span.get_span_context().trace_flags)
    assert sent == int(flag, 16) & 0b11


def test_only_allowed_baggage_is_received_and_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other keys are dropped, received or set in the function."""
    monkeypatch.setattr(carrier, "_allowed_keys", {})
    carrier.allow_baggage({"order.id": carrier.BaggageKey("app.order", "[0-9]+")})
    arrival = read(("traceparent", GOOD), ("baggage", "order.id=7,email=a%40example.org"))
    assert baggage.get_all(arrival.context) == {"order.id": "7"}
    token = context.attach(baggage.set_baggage("email", "a@example.org", arrival.context))
    try:
        assert http_request.write()["baggage"] == "order.id=7"
    finally:
        context.detach(token)
