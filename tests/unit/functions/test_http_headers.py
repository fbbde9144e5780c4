"""Trace context in HTTP headers: W3C Trace Context, level 1 and level 2, to the letter."""

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
    """What a function finds in these headers."""
    return http_request.read(http_request.combined(headers))


def sent_on(arrival: carrier.Arrival) -> dict[str, str]:
    """The headers that a function which got `arrival` would send, were its span the caller's."""
    token = context.attach(arrival.context)
    try:
        return http_request.write()
    finally:
        context.detach(token)


def ids(arrival: carrier.Arrival) -> tuple[str, str] | None:
    """The trace and the span that arrived."""
    found = arrival.span_context
    return found and (trace.format_trace_id(found.trace_id), trace.format_span_id(found.span_id))


@given(trace_ids, span_ids, flags)
def test_every_traceparent_of_version_00_is_carried(trace_id: str, span_id: str, flag: str) -> None:
    """Any ids that are not zeros, any flags; only the lowest bit says sampled."""
    arrival = read(("traceparent", f"00-{trace_id}-{span_id}-{flag}"))
    assert (arrival.state, ids(arrival)) == ("carried", (trace_id, span_id))
    assert arrival.span_context
    assert arrival.span_context.trace_flags.sampled == bool(int(flag, 16) & 1)


@given(later_versions, trace_ids, span_ids, flags, st.text(VALUE, max_size=40))
def test_a_later_version_is_read_as_far_as_it_is_known(
    version: str, trace_id: str, span_id: str, flag: str, rest: str
) -> None:
    """What follows the flags after a dash is for those who know that version."""
    known = f"{version}-{trace_id}-{span_id}-{flag}"
    assert ids(read(("traceparent", known))) == (trace_id, span_id)
    assert ids(read(("traceparent", f"{known}-{rest}"))) == (trace_id, span_id)
    assert sent_on(read(("traceparent", known)))["traceparent"].startswith("00-")


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
    """Wrong lengths, letters' case, versions, separators, zeros: no context, and a reason."""
    arrival = read(("traceparent", value), ("tracestate", "a=1"))
    assert (arrival.state, arrival.span_context) == ("invalid", None)
    assert arrival.reason
    assert sent_on(arrival) == {}


@given(header_texts, header_texts, header_texts, header_texts)
def test_no_header_whatsoever_raises(one: str, two: str, three: str, four: str) -> None:
    """And a reason quotes nothing of what came."""
    arrival = read(
        ("traceparent", one), ("tracestate", two), ("baggage", three), (carrier.COPY, four)
    )
    assert arrival.state in ("invalid", "carried")
    assert arrival.reason is None or arrival.reason.isprintable()


@given(st.data())
def test_names_of_headers_have_no_case(data: st.DataObject) -> None:
    """Whatever the proxies on the way make of the letters, and of no other character."""

    def anyhow(name: str) -> str:
        return "".join(data.draw(st.sampled_from((c.lower(), c.upper()))) for c in name)

    arrival = read((anyhow("traceparent"), GOOD), (anyhow("tracestate"), "a=1"))
    assert ids(arrival) == (TRACE_ID, SPAN_ID)
    assert sent_on(arrival)["tracestate"] == "a=1"
    for other in ("trace-parent", "trace.parent", "trace_parent"):
        assert read((other, GOOD)).state == "absent"


@given(white, white)
def test_white_space_around_a_value_is_not_part_of_it(before: str, after: str) -> None:
    """Spaces and tabs, as RFC 9110 has it."""
    assert ids(read(("traceparent", f"{before}{GOOD}{after}"))) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize("second", [GOOD, OTHER, "rubbish"])
def test_two_traceparents_are_none(second: str) -> None:
    """Even two that say the same: nobody can know who wrote which."""
    assert read(("traceparent", GOOD), ("Traceparent", second)).state == "invalid"


@given(lists, white, white, st.data())
def test_a_tracestate_is_passed_on_as_it_came(
    entries: list[tuple[str, str]], before: str, after: str, data: st.DataObject
) -> None:
    """In its order, white space and empty members left out, however many headers it came in."""
    members = [f"{key}={value}" for key, value in entries]
    cut = data.draw(st.integers(0, len(members)))
    gap = f"{after},{before},{before}"
    headers = [("tracestate", gap.join(part)) for part in (members[:cut], members[cut:])]
    arrival = read(("traceparent", GOOD), *headers)
    kept = sent_on(arrival).get("tracestate", "")
    wanted = ",".join(member.strip(" ") for member in members)
    if len(wanted) <= 512:
        assert kept == wanted
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
def test_the_longest_and_oddest_tracestate_is_passed_on(state: str) -> None:
    """The limits themselves are within the limits."""
    assert sent_on(read(("traceparent", GOOD), ("tracestate", state)))["tracestate"] == state


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
def test_a_broken_tracestate_is_dropped_alone(state: str) -> None:
    """Whole, because who can't read it can't mend it; the traceparent counts all the same."""
    arrival = read(("traceparent", GOOD), ("tracestate", state))
    assert ids(arrival) == (TRACE_ID, SPAN_ID)
    assert "tracestate" not in sent_on(arrival)


def test_a_tracestate_over_512_characters_loses_its_big_members_first() -> None:
    """Those over 128 characters, the last one first; then whatever stands last."""
    big, small = "big=" + "v" * 250, [f"a{n}=" + "v" * 40 for n in range(12)]
    members = [small[0], big, *small[1:]]
    kept = sent_on(read(("traceparent", GOOD), ("tracestate", ",".join(members))))["tracestate"]
    assert kept == ",".join(small[:11])
    assert len(kept) <= 512


@pytest.mark.parametrize("length", [513, 4097, 8192, 100_000])
def test_a_tracestate_that_cannot_be_shortened_is_dropped_alone(length: int) -> None:
    """A single member of that length is removed whole; the traceparent still counts."""
    arrival = read(("traceparent", GOOD), ("tracestate", "a=" + "x" * (length - 2)))
    assert ids(arrival) == (TRACE_ID, SPAN_ID)
    assert arrival.reason == "tracestate is longer than 512 characters"
    assert "tracestate" not in sent_on(arrival)


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ("foo=1,bar=2,foo=1", "foo=1,bar=2"),
        ("foo=1,bar=2,foo=3,baz=4,bar=5", "foo=1,bar=2,baz=4"),
        ("foo=1,foo=1", "foo=1"),
        ("foo=1, foo = 2,bar=2", None),
    ],
)
def test_of_a_repeated_key_the_first_member_stays(state: str, kept: str | None) -> None:
    """The other keys survive, in their order."""
    assert sent_on(read(("traceparent", GOOD), ("tracestate", state))).get("tracestate") == kept


def test_a_tracestate_without_a_traceparent_is_nothing() -> None:
    """As it has to be."""
    assert read(("tracestate", "a=1")).state == "absent"
    assert read().state == "absent"


def test_the_copy_wins_over_a_rewritten_traceparent() -> None:
    """Google's front end writes its own span over traceparent; sampled or not is the copy's say."""
    arrival = read(("traceparent", OTHER), (carrier.COPY, GOOD), ("tracestate", "a=1"))
    assert ids(arrival) == (TRACE_ID, SPAN_ID)
    assert arrival.span_context
    assert arrival.span_context.trace_flags.sampled
    assert sent_on(arrival) == {
        "traceparent": GOOD,
        carrier.COPY: GOOD,
        "tracestate": "a=1",
    }


@pytest.mark.parametrize("copy", ["", "rubbish", GOOD.upper(), f"{GOOD},{GOOD}"])
def test_a_copy_that_is_invalid_does_not_win(copy: str) -> None:
    """Then traceparent is the best there is; and where there is none, the copy was invalid."""
    assert ids(read(("traceparent", GOOD), (carrier.COPY, copy))) == (TRACE_ID, SPAN_ID)
    assert read((carrier.COPY, copy)).state == "invalid"


@given(flags)
def test_flags_that_nobody_knows_are_not_passed_on(flag: str) -> None:
    """A child of ours says sampled and random, and sets no other bit (level 2, 3.2.2.5)."""
    from opentelemetry.sdk.trace import TracerProvider

    arrival = read(("traceparent", f"00-{TRACE_ID}-{SPAN_ID}-{flag}"))
    span = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("s", arrival.context)
    sent = int(span.get_span_context().trace_flags)
    assert sent == int(flag, 16) & 0b11


def test_only_listed_baggage_comes_in_and_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else somebody sends, or sets here, stays where it is."""
    monkeypatch.setattr(carrier, "_passed_on", {})
    carrier.pass_on({"order.id": carrier.BaggageKey("app.order", "[0-9]+")})
    arrival = read(("traceparent", GOOD), ("baggage", "order.id=7,email=a%40example.org"))
    assert baggage.get_all(arrival.context) == {"order.id": "7"}
    token = context.attach(baggage.set_baggage("email", "a@example.org", arrival.context))
    try:
        assert http_request.write()["baggage"] == "order.id=7"
    finally:
        context.detach(token)
