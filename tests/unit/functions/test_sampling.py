"""Which traces are recorded."""

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
    """The sampler that an environment names."""
    return sampling.sampler({"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument})


def samples(sampler: Sampler, traceparent: str | None = None, trace_id: int = LOW) -> bool:
    """Whether a span with this remote parent, or none, is recorded."""
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
    """The ratio is 0 here; what is unset or empty is parentbased_always_on."""
    sampler = chosen(name, "0")
    assert samples(sampler) == root
    assert samples(sampler, TRACEPARENT) == after_sampled
    assert samples(sampler, UNSAMPLED) == after_unsampled


@pytest.mark.parametrize("name", ["traceidratio", "parentbased_traceidratio"])
def test_a_ratio_decides_by_the_trace_id(name: str) -> None:
    """So that every function decides alike about one trace."""
    sampler = chosen(name, "0.25")
    assert samples(sampler, trace_id=LOW)
    assert not samples(sampler, trace_id=HIGH)
    assert samples(chosen(name), trace_id=HIGH), "without an argument, all of them"


@pytest.mark.parametrize(
    ("name", "argument", "said"),
    [
        ("sometimes", "", "OTEL_TRACES_SAMPLER is 'sometimes'"),
        ("parentbased_sometimes", "", "OTEL_TRACES_SAMPLER is 'parentbased_sometimes'"),
        ("traceidratio", "a tenth", "OTEL_TRACES_SAMPLER_ARG is 'a tenth'"),
        ("traceidratio", "1.5", "OTEL_TRACES_SAMPLER_ARG is '1.5'"),
        ("traceidratio", "nan", "OTEL_TRACES_SAMPLER_ARG is 'nan'"),
    ],
)
def test_a_mistake_is_said_and_everything_is_recorded(
    name: str, argument: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line with the value; the function starts."""
    with caplog.at_level(logging.WARNING):
        assert samples(chosen(name, argument), trace_id=HIGH)
    (record,) = caplog.records
    assert record.getMessage().startswith(said)


def test_the_platforms_unsampled_flag_is_not_obeyed() -> None:
    """A parent that only the request's traceparent names is as good as none to the sampler."""
    with APP.test_request_context(headers={"traceparent": UNSAMPLED}):
        assert samples(chosen("parentbased_always_on"), UNSAMPLED)
        assert not samples(chosen("parentbased_always_off"), UNSAMPLED)
        assert not samples(chosen("parentbased_traceidratio", "0.25"), UNSAMPLED, HIGH)


@pytest.mark.parametrize("on_request", [OTHER, UNSAMPLED, None, "nonsense"])
def test_our_own_unsampled_flag_is_obeyed(on_request: str | None) -> None:
    """Whether it came in a document or in the copy, whatever the platform wrote beside it."""
    headers = {"x-throughline-context": UNSAMPLED}
    if on_request:
        headers["traceparent"] = on_request
    with APP.test_request_context(headers=headers):
        assert not samples(chosen("parentbased_always_on"), UNSAMPLED)
    with APP.test_request_context(headers={"traceparent": OTHER}):
        assert not samples(chosen("parentbased_always_on"), UNSAMPLED)


def test_a_copy_that_is_not_valid_vouches_for_nothing() -> None:
    """Nor does one that names another span."""
    for copied in ("nonsense", OTHER):
        headers = {"traceparent": UNSAMPLED, "x-throughline-context": copied}
        with APP.test_request_context(headers=headers):
            assert samples(chosen("parentbased_always_on"), UNSAMPLED)


def test_a_span_inside_an_unsampled_one_of_ours_is_not_recorded() -> None:
    """The decision was made where the trace entered this process, platform or not."""
    parent = SpanContext(7, 8, is_remote=False, trace_flags=TraceFlags(0))
    context = set_span_in_context(NonRecordingSpan(parent), Context())
    with APP.test_request_context(headers={"traceparent": UNSAMPLED}):
        result = chosen("parentbased_always_on").should_sample(context, 7, "inner")
    assert result.decision is Decision.DROP
