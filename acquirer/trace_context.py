"""A W3C Trace Context propagator that tolerates repeated tracestate keys.

OpenTelemetry's own propagator drops the whole tracestate if a key is repeated. W3C Trace Context
(level 2, section 3.3.1.3) allows one entry per key; this one keeps the first.
"""

from __future__ import annotations

from opentelemetry import propagate
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import CarrierT, Getter, default_getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


class _FirstOfEachKey(Getter[CarrierT]):
    """Reads a carrier through `getter` and drops the later members of repeated tracestate keys."""

    def __init__(self, getter: Getter[CarrierT]) -> None:
        self._getter = getter

    def get(self, carrier: CarrierT, key: str) -> list[str] | None:
        values = self._getter.get(carrier, key)
        if key != "tracestate" or values is None:
            return values
        first_by_key: dict[str, str] = {}
        for member in ",".join(values).split(","):
            first_by_key.setdefault(member.strip(" \t").partition("=")[0], member)
        return [",".join(first_by_key.values())]

    def keys(self, carrier: CarrierT) -> list[str]:
        return self._getter.keys(carrier)


class TolerantTraceContext(TraceContextTextMapPropagator):
    """Extracts trace context and keeps the first member of each tracestate key."""

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        return super().extract(carrier, context, _FirstOfEachKey(getter))


def install() -> None:
    """Set this and the W3C Baggage propagator as the process's global propagator."""
    propagate.set_global_textmap(
        CompositePropagator([TolerantTraceContext(), W3CBaggagePropagator()])
    )
