"""Which traces are recorded: OpenTelemetry's samplers, deaf to a flag that isn't ours.

Google's front end puts a `traceparent` of its own on every HTTP request, most often flagged as not
sampled, which a parent-based sampler would obey: the trace would be lost at the door.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import flask
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from throughline import carrier
from throughline.carrier import COPY

DEFAULT = "parentbased_always_on"

_log = logging.getLogger(__name__)


class ParentBasedOnOurs(Sampler):
    """Does as the parent did, and asks `root` where there is none or the platform speaks for it.

    The parent's flag is the platform's where the parent is what the HTTP request's `traceparent`
    says and no copy of ours vouches for it. A sampled flag is taken from anybody.
    """

    def __init__(self, root: Sampler) -> None:
        self._root = root
        self._parent_based = ParentBased(root)

    def should_sample(  # noqa: PLR0913, PLR0917  (the SDK's signature)
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        parent = trace.get_current_span(parent_context).get_span_context()
        chosen = self._root if _is_unsampled_by_the_platform(parent) else self._parent_based
        return chosen.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        return f"ParentBasedOnOurs{{{self._root.get_description()}}}"


def sampler(environment: Mapping[str, str]) -> Sampler:
    """The sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name.

    All six values of the specification are understood; what is not is said, and recorded in full,
    because a typing error must not be what hides the one trace that was needed.
    """
    name = environment.get("OTEL_TRACES_SAMPLER", "").strip().lower() or DEFAULT
    kind = name.removeprefix("parentbased_")
    roots = {"always_on": ALWAYS_ON, "always_off": ALWAYS_OFF}
    if kind == "traceidratio":
        root: Sampler = TraceIdRatioBased(_ratio(environment.get("OTEL_TRACES_SAMPLER_ARG", "")))
    elif kind in roots:
        root = roots[kind]
    else:
        _log.warning("OTEL_TRACES_SAMPLER is %r, which is no sampler; %s is used", name, DEFAULT)
        return ParentBasedOnOurs(ALWAYS_ON)
    return root if kind == name else ParentBasedOnOurs(root)


def _ratio(value: str) -> float:
    try:
        ratio = float(value or 1)
    except ValueError:
        ratio = -1.0
    if 0 <= ratio <= 1:
        return ratio
    _log.warning("OTEL_TRACES_SAMPLER_ARG is %r; it must be from 0 to 1, and 1 is used", value)
    return 1.0


def _is_unsampled_by_the_platform(parent: SpanContext) -> bool:
    if not parent.is_remote or parent.trace_flags.sampled or not flask.has_request_context():
        return False
    headers = flask.request.headers
    on_request = carrier.read({"traceparent": headers.get("traceparent")}).span_context
    ours = carrier.read({"traceparent": headers.get(COPY)}).span_context
    return _is_same(parent, on_request) and not _is_same(parent, ours)


def _is_same(one: SpanContext, other: SpanContext | None) -> bool:
    return other is not None and (one.trace_id, one.span_id) == (other.trace_id, other.span_id)
