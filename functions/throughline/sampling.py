"""Chooses which traces are recorded: OpenTelemetry's samplers, ignoring the platform's flag.

Google's front end puts a `traceparent` of its own on every HTTP request, usually flagged as not
sampled. A parent-based sampler would obey it and record nothing.
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
    """Follows the parent's flag; `root` decides without a parent or with the platform's flag.

    The flag is the platform's if the parent is the one in the HTTP request's `traceparent` and
    no copy of ours confirms it. A sampled flag is always followed.
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
        sampler = self._root if _is_unsampled_by_platform(parent) else self._parent_based
        return sampler.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        return f"ParentBasedOnOurs{{{self._root.get_description()}}}"


def sampler(environment: Mapping[str, str]) -> Sampler:
    """Return the sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name.

    All six values of the specification are known. Any other is logged and everything is recorded,
    so that a typing error does not hide traces.
    """
    name = environment.get("OTEL_TRACES_SAMPLER", "").strip().lower() or DEFAULT
    kind = name.removeprefix("parentbased_")
    roots = {"always_on": ALWAYS_ON, "always_off": ALWAYS_OFF}
    if kind == "traceidratio":
        root: Sampler = TraceIdRatioBased(_ratio(environment.get("OTEL_TRACES_SAMPLER_ARG", "")))
    elif kind in roots:
        root = roots[kind]
    else:
        _log.warning("OTEL_TRACES_SAMPLER is %r, which is not a sampler; %s is used", name, DEFAULT)
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


def _is_unsampled_by_platform(parent: SpanContext) -> bool:
    if not parent.is_remote or parent.trace_flags.sampled or not flask.has_request_context():
        return False
    headers = flask.request.headers
    on_request = carrier.read({"traceparent": headers.get("traceparent")}).span_context
    ours = carrier.read({"traceparent": headers.get(COPY)}).span_context
    return _is_same(parent, on_request) and not _is_same(parent, ours)


def _is_same(first: SpanContext, second: SpanContext | None) -> bool:
    return second is not None and (first.trace_id, first.span_id) == (
        second.trace_id,
        second.span_id,
    )
