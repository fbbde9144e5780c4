"""Decides what of a client's telemetry a relay passes on.

Anyone can post to a relay. So a client speaks for one service only, and cannot say where that
service runs, who operates it, or what the app's servers decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from throughline import otlp_decoding
from throughline.otlp_decoding import Kind

#: What a client may say about itself; the relay drops its other resource attributes. Names that end
#: with a dot are prefixes.
RESOURCE_ATTRIBUTES = (
    "service.name",
    "service.version",
    "service.instance.id",
    "telemetry.sdk.",
    "browser.",
    "user_agent.original",
)
#: Namespaces of span and log attributes that describe servers and users.
SERVER_NAMESPACES = (
    "cloud.",
    "container.",
    "deployment.",
    "enduser.",
    "faas.",
    "gcp.",
    "host.",
    "k8s.",
    "process.",
    "service.",
    "telemetry.",
)
#: Set on every resource that came through a relay.
RELAYED = "throughline.relayed"


@dataclass(frozen=True)
class Admission:
    """The rules of one relay.

    Args:
        service_name: the only service whose telemetry is passed on.
        resource: the attributes that the relay sets on each resource, such as the environment.
        reserved: namespaces of span and log attributes that only servers set, each with its dot.
        allowed: attributes in those namespaces that the client sets nevertheless.
    """

    service_name: str
    resource: Mapping[str, str] = field(default_factory=dict)
    reserved: tuple[str, ...] = SERVER_NAMESPACES
    allowed: frozenset[str] = frozenset()

    def admit(self, kind: Kind, request: Any) -> Admitted:
        """Remove from `request` what the client may not send."""
        foreign = 0
        groups = getattr(request, kind.by_resource)
        for index in reversed(range(len(groups))):
            group = groups[index]
            if _service_name(group.resource) != self.service_name:
                foreign += sum(
                    len(getattr(scope, kind.items)) for scope in getattr(group, kind.by_scope)
                )
                del groups[index]
                continue
            self._claim_resource(group.resource)
        for scope in otlp_decoding.scopes(kind, request):
            for item in getattr(scope, kind.items):
                self._remove_reserved(item)
        return Admitted(otlp_decoding.count(kind, request), foreign)

    def _claim_resource(self, resource: Any) -> None:
        kept = [each for each in resource.attributes if _matches(each.key, RESOURCE_ATTRIBUTES)]
        del resource.attributes[:]
        # Of a repeated key, the value that was checked stays: the first.
        resource.attributes.extend({each.key: each for each in reversed(kept)}.values())
        for key, value in self.resource.items():
            resource.attributes.add(key=key).value.string_value = value
        resource.attributes.add(key=RELAYED).value.bool_value = True

    def _remove_reserved(self, item: Any) -> None:
        for index in reversed(range(len(item.attributes))):
            key = item.attributes[index].key
            if key.startswith(self.reserved) and key not in self.allowed:
                del item.attributes[index]
                item.dropped_attributes_count += 1


class Admitted(NamedTuple):
    """How many items a relay passes on, and how many it dropped with a foreign resource."""

    items: int
    foreign: int


def _service_name(resource: Any) -> str:
    names = (each.value.string_value for each in resource.attributes if each.key == "service.name")
    return next(names, "")


def _matches(key: str, names: tuple[str, ...]) -> bool:
    return any(key.startswith(name) if name.endswith(".") else key == name for name in names)
