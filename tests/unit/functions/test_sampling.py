"""The choice of recorded traces."""

from __future__ import annotations

import logging

import flask
import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from tests.unit.functions.traceparents import TRACEPARENT
from throughline import carrier, sampling

APP = flask.Flask(__name__)
UNSAMPLED = TRACEPARENT[:-2] + "00"
OTHER = "00-11111111111111111111111111111111-2222222222222222-00"
LOW, HIGH = 1, (1 << 64) - 1


def chosen(name: str, argument: str = "") -> Sampler:
    """Return the sampler of an environment."""
    return sampling.sampler({"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument})


def samples(sampler: Sampler, traceparent: str | None = None, trace_id: int = LOW) -> bool:
    """Return whether a span with this remote parent, or without one, is recorded."""
    context = carrier.read({"traceparent": traceparent}).context
    return sampler.should_sample(context, trace_id, "work").decision is Decision.RECORD_AND_SAMPLE


@pytest.mark.parametrize(
    ("name", "root", "after_sampled", "after_unsampled"),
    [
        ("always_on", True, True, True),
        ("always_off", False, False, False),
        ("traceidratio", False, False, False),
        ("parentbased_always_on", True, True, False),
        ("parentbased_always_off", False, True, False),
        ("parentbased_traceidratio", False, True, False),
        ("ParentBased_Always_Off ", False, True, False),
        ("", True, True, False),
    ],
)
def test_the_specifications_samplers_by_name(
    name: str, root: bool, after_sampled: bool, after_unsampled: bool
) -> None:
    """The ratio here is 0; unset or empty means parentbased_always_on."""
    sampler = chosen(name, "0")
    assert samples(sampler) == root
    assert samples(sampler, TRACEPARENT) == after_sampled
    assert samples(sampler, UNSAMPLED) == after_unsampled


@pytest.mark.parametrize("name", ["traceidratio", "parentbased_traceidratio"])
def test_a_ratio_decides_by_the_trace_id(name: str) -> None:
    """Every function therefore makes the same decision for a trace."""
    sampler = chosen(name, "0.25")
    assert samples(sampler, trace_id=LOW)
    assert not samples(sampler, trace_id=HIGH)
    assert samples(chosen(name), trace_id=HIGH), "without an argument, all of them"


@pytest.mark.parametrize(
    ("name", "argument", "message"),
    [
        ("sometimes", "", "OTEL_TRACES_SAMPLER is 'sometimes'"),
        ("parentbased_sometimes", "", "OTEL_TRACES_SAMPLER is 'parentbased_sometimes'"),
        ("traceidratio", "a tenth", "OTEL_TRACES_SAMPLER_ARG is 'a tenth'"),
        ("traceidratio", "1.5", "OTEL_TRACES_SAMPLER_ARG is '1.5'"),
        ("traceidratio", "nan", "OTEL_TRACES_SAMPLER_ARG is 'nan'"),
    ],
)
def test_an_invalid_setting_is_logged_and_everything_is_recorded(
    name: str, argument: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line has the value, and the function starts."""
    with caplog.at_level(logging.WARNING):
        assert samples(chosen(name, argument), trace_id=HIGH)
    (record,) = caplog.records
    assert record.getMessage().startswith(message)


def test_the_platforms_unsampled_flag_is_ignored() -> None:
    """If only the request's traceparent names the parent, the root sampler decides."""
    with APP.test_request_context(headers={"traceparent": UNSAMPLED}):
        assert samples(chosen("parentbased_always_on"), UNSAMPLED)
        assert not samples(chosen("parentbased_always_off"), UNSAMPLED)
        assert not samples(chosen("parentbased_traceidratio", "0.25"), UNSAMPLED, HIGH)


@pytest.mark.parametrize("on_request", [OTHER, UNSAMPLED, None, "nonsense"])
def test_an_unsampled_flag_of_our_own_is_followed(on_request: str | None) -> None:
    """It may come in a document or in the copy, beside any traceparent of the platform."""
    headers = {"x-throughline-context": UNSAMPLED}
    if on_request:
        headers["traceparent"] = on_request
    with APP.test_request_context(headers=headers):
        assert not samples(chosen("parentbased_always_on"), UNSAMPLED)
    with APP.test_request_context(headers={"traceparent": OTHER}):
        assert not samples(chosen("parentbased_always_on"), UNSAMPLED)


def test_an_invalid_copy_does_not_confirm_the_platforms_flag() -> None:
    """A copy that names another span does not confirm the flag either."""
    for copied in ("nonsense", OTHER):
        headers = {"traceparent": UNSAMPLED, "x-throughline-context": copied}
        with APP.test_request_context(headers=headers):
            assert samples(chosen("parentbased_always_on"), UNSAMPLED)


def test_a_child_of_an_unsampled_local_span_is_not_recorded() -> None:
    """The decision was made when the trace entered this process."""
    parent = SpanContext(7, 8, is_remote=False, trace_flags=TraceFlags(0))
    context = set_span_in_context(NonRecordingSpan(parent), Context())
    with APP.test_request_context(headers={"traceparent": UNSAMPLED}):
        result = chosen("parentbased_always_on").should_sample(context, 7, "inner")
    assert result.decision is Decision.DROP
