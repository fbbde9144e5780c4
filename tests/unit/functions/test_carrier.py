"""The core's reading and writing of W3C Trace Context."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from tests.unit.functions.traceparents import SPAN_ID, TRACE_ID, TRACEPARENT
from throughline import carrier, tracestate

HEX = "0123456789abcdef"
trace_ids = st.integers(min_value=1, max_value=2**128 - 1)
span_ids = st.integers(min_value=1, max_value=2**64 - 1)

# JSON-like values of any depth, and values outside JSON: bytes, lone surrogates, other keys.
_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.binary(), st.text(st.characters())
)
anything = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(), st.integers()), inner, max_size=3),
        st.dictionaries(st.sampled_from(carrier.KEYS), inner, min_size=1),
    ),
    max_leaves=10,
)


def read_as(traceparent: str, **more: str) -> SpanContext:
    """Read a valid traceparent and return its span context."""
    arrival = carrier.read({"traceparent": traceparent, **more})
    assert (arrival.state, arrival.reason) == ("carried", None)
    assert arrival.span_context is not None
    return arrival.span_context


@given(
    trace_id=trace_ids,
    span_id=span_ids,
    flags=st.sampled_from([0, 1]),
    states=st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_*/-]{0,20}", fullmatch=True),
        st.from_regex(r"[!-+\--<>-~]{1,15}", fullmatch=True),
        max_size=4,
    ),
    items=st.dictionaries(
        st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True),
        st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), max_size=20),
        max_size=4,
    ),
)
def test_a_written_context_is_read_back(
    trace_id: int, span_id: int, flags: int, states: dict[str, str], items: dict[str, str]
) -> None:
    """Ids, flags, tracestate and baggage survive a hop with any values."""
    sent = SpanContext(
        trace_id, span_id, False, TraceFlags(flags), TraceState(list(states.items()))
    )
    context = trace.set_span_in_context(NonRecordingSpan(sent), Context())
    for name, value in items.items():
        context = baggage.set_baggage(name, value, context)
    with trace.use_span(NonRecordingSpan(sent)):
        plain = carrier.write()
    assert plain["traceparent"] == f"00-{trace_id:032x}-{span_id:016x}-{flags:02x}"

    token = attach(context)
    try:
        written = carrier.write()
    finally:
        detach(token)
    arrival = carrier.read(written)
    got = arrival.span_context
    assert got is not None
    assert (got.trace_id, got.span_id, got.trace_flags) == (trace_id, span_id, flags)
    assert dict(got.trace_state) == states
    assert got.is_remote
    assert baggage.get_all(arrival.context) == items


def test_nothing_is_written_outside_a_span() -> None:
    """No current span means no carrier."""
    assert carrier.write() == {}


@given(anything)
def test_reading_arbitrary_input_does_not_raise(junk: object) -> None:
    """A carrier may come from any sender; the worst result is a new root."""
    arrival = carrier.read(junk)
    assert arrival.state in ("absent", "invalid")
    assert arrival.span_context is None
    assert (arrival.reason is None) == (arrival.state == "absent")


@given(st.text(st.characters()), st.text(st.characters()))
def test_junk_beside_a_traceparent_does_not_invalidate_it(state: str, baggage_text: str) -> None:
    """With any text in tracestate and baggage, the parent is still read."""
    arrival = carrier.read(
        {"traceparent": TRACEPARENT, "tracestate": state, "baggage": baggage_text}
    )
    got = arrival.span_context
    assert arrival.state == "carried"
    assert got is not None
    assert f"{got.trace_id:032x}-{got.span_id:016x}" == f"{TRACE_ID}-{SPAN_ID}"


@st.composite
def near_misses(draw: st.DrawFn) -> str:
    """Draw a valid traceparent with a few characters replaced, removed or inserted."""
    text = draw(st.sampled_from([TRACEPARENT, f"01-{TRACE_ID}-{SPAN_ID}-01-more"]))
    for _ in range(draw(st.integers(0, 3))):
        at, width = draw(st.integers(0, len(text))), draw(st.integers(0, 2))
        text = text[:at] + draw(st.text("0f19aAg- \n\0٣", max_size=2)) + text[at + width :]
    return text


def is_good(traceparent: str) -> bool:
    """Check the grammar of W3C Trace Context level 2, written independently."""
    fields = traceparent.split("-")
    if [len(field) for field in fields[:4]] != [2, 32, 16, 2]:
        return False
    version, trace_id, span_id, _ = fields[:4]
    return (
        all(character in HEX for field in fields[:4] for character in field)
        and version != "ff"
        and (version != "00" or len(fields) == 4)
        and trace_id.strip("0") != ""
        and span_id.strip("0") != ""
        and "\n" not in traceparent
        and traceparent.isascii()
    )


@given(near_misses())
def test_a_traceparent_is_carried_exactly_if_the_grammar_allows_it(traceparent: str) -> None:
    state = carrier.read({"traceparent": traceparent}).state
    assert state == ("carried" if is_good(traceparent) else "invalid")


@pytest.mark.parametrize("nothing", [None, {}, {"traceparent": None}, {"tracestate": "a=1"}])
def test_a_carrier_without_a_traceparent_is_absent(nothing: Mapping[str, Any] | None) -> None:
    """A carrier with only a tracestate is absent too, not invalid."""
    assert carrier.read(nothing) == carrier.ABSENT


@pytest.mark.parametrize(
    ("junk", "kind"), [([], "list"), ("", "str"), (b"", "bytes"), (0, "int"), (object(), "object")]
)
def test_a_carrier_that_is_not_a_map_is_invalid(junk: object, kind: str) -> None:
    """The reason names the type."""
    assert carrier.read(junk) == carrier.invalid(f"carrier is a {kind}, not a map")


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("03", True)])
def test_flags_are_kept(flags: str, sampled: bool) -> None:
    """Unknown flags of a later level do not hide the sampled flag."""
    assert read_as(f"00-{TRACE_ID}-{SPAN_ID}-{flags}").trace_flags.sampled is sampled


@pytest.mark.parametrize(
    "traceparent",
    [
        f"01-{TRACE_ID}-{SPAN_ID}-01",
        f"01-{TRACE_ID}-{SPAN_ID}-01-and-more",
        f"cc-{TRACE_ID}-{SPAN_ID}-01-",
        f"fe-{TRACE_ID}-{SPAN_ID}-ff-00",
    ],
)
def test_the_known_fields_of_a_future_version_are_read(traceparent: str) -> None:
    """The specification requires this, so that participants can upgrade independently."""
    assert f"{read_as(traceparent).span_id:016x}" == SPAN_ID


@pytest.mark.parametrize(
    ("traceparent", "reason"),
    [
        ("", "traceparent is malformed"),
        ("nonsense", "traceparent is malformed"),
        (f"00-{TRACE_ID}-{SPAN_ID}", "traceparent is malformed"),
        (f"00-{TRACE_ID}-{SPAN_ID}-", "traceparent is malformed"),
        (f"00-{TRACE_ID}-{SPAN_ID}-1", "traceparent is malformed"),
        (f"00-{TRACE_ID}-{SPAN_ID}-001", "traceparent is malformed"),
        (f"0-{TRACE_ID}-{SPAN_ID}-01", "traceparent is malformed"),
        (f"000-{TRACE_ID}-{SPAN_ID}-01", "traceparent is malformed"),
        (f"00-{TRACE_ID[1:]}-{SPAN_ID}-01", "traceparent is malformed"),
        (f"00-{TRACE_ID}0-{SPAN_ID}-01", "traceparent is malformed"),
        (f"00-{TRACE_ID}-{SPAN_ID[1:]}-01", "traceparent is malformed"),
        (f"00-{TRACE_ID}-{SPAN_ID}0-01", "traceparent is malformed"),
        (f"00_{TRACE_ID}_{SPAN_ID}_01", "traceparent is malformed"),
        (TRACEPARENT.upper(), "traceparent is malformed"),
        (f"00-{TRACE_ID[:-1]}A-{SPAN_ID}-01", "traceparent is malformed"),
        (f"00-{TRACE_ID}-{SPAN_ID[:-1]}g-01", "traceparent is malformed"),
        (f"00-{'٣' * 32}-{SPAN_ID}-01", "traceparent is malformed"),
        (f"{TRACEPARENT}\n", "traceparent is malformed"),
        (f"\n{TRACEPARENT}", "traceparent is malformed"),
        (f"{TRACEPARENT}\r\n", "traceparent is malformed"),
        (f" {TRACEPARENT}", "traceparent is malformed"),
        (f"{TRACEPARENT} ", "traceparent is malformed"),
        (f"01-{TRACE_ID}-{SPAN_ID}-01-more\n", "traceparent is malformed"),
        (f"01-{TRACE_ID}-{SPAN_ID}-01.more", "traceparent is malformed"),
        (f"{TRACEPARENT},{TRACEPARENT}", "traceparent is malformed"),
        (f"ff-{TRACE_ID}-{SPAN_ID}-01", "traceparent has the forbidden version ff"),
        (f"ff-{TRACE_ID}-{SPAN_ID}-01-more", "traceparent has the forbidden version ff"),
        (f"{TRACEPARENT}-more", "traceparent of version 00 is too long"),
        (f"{TRACEPARENT}-", "traceparent of version 00 is too long"),
        (f"00-{'0' * 32}-{SPAN_ID}-01", "traceparent has a trace id of zeros"),
        (f"00-{TRACE_ID}-{'0' * 16}-01", "traceparent has a span id of zeros"),
        (f"01-{TRACE_ID}-{SPAN_ID}-01-{'x' * 600}", "traceparent is longer than 512 characters"),
    ],
    ids=repr,
)
def test_a_traceparent_that_breaks_the_rules_is_invalid(traceparent: str, reason: str) -> None:
    """The reason names the rule."""
    assert carrier.read({"traceparent": traceparent}) == carrier.invalid(reason)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"traceparent": 7}, "traceparent is a int, not a string"),
        ({"traceparent": [TRACEPARENT]}, "traceparent is a list, not a string"),
        ({"traceparent": TRACEPARENT.encode()}, "traceparent is a bytes, not a string"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_traceparent_that_is_not_a_string_is_invalid(more: dict[str, Any], reason: str) -> None:
    assert carrier.read({"traceparent": TRACEPARENT, **more}) == carrier.invalid(reason)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"tracestate": {}}, "tracestate is a dict, not a string"),
        ({"baggage": ["a=1"]}, "baggage is a list, not a string"),
        ({"tracestate": "a=" + "x" * 511}, "tracestate is longer than 512 characters"),
        ({"baggage": "a=" + "x" * 8191}, "baggage is longer than 8192 characters"),
        ({"tracestate": "no list"}, "tracestate is malformed"),
        ({"tracestate": "a=1,a=2"}, "tracestate repeats a key"),
        ({"baggage": "é=1"}, "baggage is malformed"),
        ({"baggage": "nonsense"}, "baggage is malformed"),
        (
            {"tracestate": ["a=1"], "baggage": 7},
            "tracestate is a list, not a string; baggage is a int, not a string",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_unusable_tracestate_or_baggage_is_dropped_alone_with_a_reason(
    more: dict[str, Any], reason: str
) -> None:
    """The traceparent is still used."""
    arrival = carrier.read({"traceparent": TRACEPARENT, **more})
    assert (arrival.state, arrival.reason) == ("carried", reason)
    assert arrival.span_context is not None
    assert f"{arrival.span_context.span_id:016x}" == SPAN_ID
    assert baggage.get_all(arrival.context) == {}


def test_the_longest_tracestate_is_carried() -> None:
    """Up to 512 characters are kept."""
    state = f"a={'x' * 250},b={'y' * 250},c=zzzz"
    state += "z" * (tracestate.PROPAGATED_MAX_CHARS - len(state))
    assert len(state) == 512
    assert dict(read_as(TRACEPARENT, tracestate=state).trace_state)["c"].startswith("zzzz")


@pytest.mark.parametrize("state", ["=", "no equals sign", "A=1", "a=1,b=\n", "é=1", "a=\ud800"])
def test_a_malformed_tracestate_is_dropped_alone(state: str) -> None:
    """The parent and the baggage are still used."""
    arrival = carrier.read({"traceparent": TRACEPARENT, "tracestate": state, "baggage": "order=7"})
    assert arrival.span_context is not None
    assert f"{arrival.span_context.span_id:016x}" == SPAN_ID
    assert baggage.get_all(arrival.context) == {"order": "7"}
    assert len(arrival.span_context.trace_state) == 0


@pytest.mark.parametrize("malformed", ["=", "no equals sign", "é=1", "order=\ud800", ",,;"])
def test_a_malformed_baggage_is_dropped_alone(malformed: str) -> None:
    """The parent and the tracestate are still used."""
    arrival = carrier.read(
        {"traceparent": TRACEPARENT, "tracestate": "vendor=1", "baggage": malformed}
    )
    assert arrival.span_context is not None
    assert dict(arrival.span_context.trace_state) == {"vendor": "1"}
    assert baggage.get_all(arrival.context) == {}


def test_other_entries_of_the_map_are_ignored() -> None:
    """A message's attributes and a charge's metadata have entries of the app too."""
    mixed = {"traceparent": TRACEPARENT, "order_id": "7", "nested": {"a": [1]}, 7: None}
    assert carrier.read(mixed).state == "carried"


@given(st.text(st.characters(codec="utf-8"), min_size=6, max_size=60))
def test_a_reason_does_not_quote_the_carrier(secret: str) -> None:
    """Otherwise a sender could write arbitrary text onto spans."""
    for junk in ({"traceparent": f"{secret}!"}, {"traceparent": {secret: secret}}):
        reason = carrier.read(junk).reason
        assert reason in ("traceparent is malformed", "traceparent is a dict, not a string")


@given(st.text(st.characters()))
def test_a_hops_own_reason_is_cut_and_made_printable(reason: str) -> None:
    """It cannot forge a log line."""
    arrival = carrier.invalid(reason)
    assert arrival.reason is not None
    assert len(arrival.reason) <= 80
    assert arrival.reason.isprintable()


def test_baggage_beside_an_invalid_traceparent_is_dropped() -> None:
    """A new root takes nothing from a carrier with an invalid traceparent."""
    arrival = carrier.read({"traceparent": "nonsense", "baggage": "order=7"})
    assert baggage.get_all(arrival.context) == {}


def test_reading_does_not_change_the_current_context(caplog: pytest.LogCaptureFixture) -> None:
    """Reading only returns the context, and logs nothing for a valid carrier."""
    with caplog.at_level(logging.DEBUG):
        read_as(TRACEPARENT, tracestate="vendor=1", baggage="order=7")
    assert not trace.get_current_span().get_span_context().is_valid
    assert baggage.get_all() == {}
    assert caplog.messages == []
