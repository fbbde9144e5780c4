"""How each function is deployed: its region, size, limits, access and secrets, with the reasons.

A stage passes its row to its decorator, beside what starts it.

Each instance is one vCPU. firebase-functions would otherwise leave the choice to the CLI, which
sets `concurrency` to 80: functions-framework starts `THREADS` threads, and the requests above that
would wait inside the instance, unseen, while the platform starts no other.

`max_instances` caps the bill. The card processor and the document of a show, which every sale of
its seats writes, are slower than these many instances.
"""

from __future__ import annotations

from typing import TypedDict

from firebase_functions.options import (
    CorsOptions,
    IngressSetting,
    MemoryOption,
    RateLimits,
    RetryConfig,
)
from firebase_functions.params import PROJECT_ID, Expression, SecretParam

import settings


class Options(TypedDict, total=False):
    """Options of firebase-functions that every kind of function has."""

    region: str
    service_account: str
    cpu: int
    memory: MemoryOption
    concurrency: int | Expression[int]
    max_instances: int
    timeout_sec: int
    ingress: IngressSetting
    secrets: list[SecretParam]


class CallableOptions(Options):
    """The options of a callable function."""

    cors: CorsOptions
    enforce_app_check: bool


class EventOptions(Options):
    """The options of a function that Pub/Sub or Eventarc starts."""

    retry: bool


class TaskOptions(Options):
    """The options of a function that a task queue starts."""

    retry_config: RetryConfig
    rate_limits: RateLimits


def _options(
    memory: MemoryOption,
    max_instances: int,
    timeout_sec: int,
    ingress: IngressSetting,
    *secrets: SecretParam,
) -> Options:
    """Return a function's options, with those that all functions share."""
    return {
        # Without a region, the CLI deploys functions that Pub/Sub starts to us-east1, and the
        # others to us-central1.
        "region": settings.region(),
        # The CLI resolves the two expressions. It would also complete "NAME@", but not where it
        # creates the scheduler's job and grants access to secrets.
        "service_account": f"{settings.SERVICE_ACCOUNT}@{PROJECT_ID}.iam.gserviceaccount.com",
        "cpu": 1,
        "memory": memory,
        "concurrency": settings.THREADS,
        "max_instances": max_instances,
        "timeout_sec": timeout_sec,
        "ingress": ingress,
        "secrets": [*secrets, *([settings.OTLP_HEADERS] if settings.OTLP_HEADERS else [])],
    }


# With `THREADS` requests at a time, master and worker hold 150 MB of resident memory.
_SMALL = MemoryOption.MB_256
# With the Pub/Sub client 162 MB, on a laptop; what the platform adds has not been measured. Memory
# is a small part of an instance's price.
_LARGE = MemoryOption.MB_512

_PUBLIC = IngressSetting.ALLOW_ALL
# Pub/Sub, Eventarc and Cloud Scheduler of the same project count as internal.
_INTERNAL = IngressSetting.ALLOW_INTERNAL_ONLY

# Spans have a user's pseudonym wherever an order moves or its buyer is known.
_SALT = settings.PSEUDONYM_SALT

_CALLABLE = CallableOptions(
    cors=CorsOptions(cors_origins=settings.site_origins()),
    enforce_app_check=settings.enforce_app_check(),
)

# Authentication waits for 7 seconds, and then refuses the sign-up.
WELCOME = _options(_SMALL, 10, 7, _PUBLIC, _SALT)
AVAILABILITY = _options(_SMALL, 10, 10, _PUBLIC)
QUOTE: CallableOptions = {**_options(_SMALL, 10, 10, _PUBLIC), **_CALLABLE}
# An order waits for seats for up to 24 seconds (docs/unpaid-orders.md) before it is decided.
RESERVE = _options(_LARGE, 20, 60, _INTERNAL, _SALT)
# Three attempts at the processor, each with a timeout of ACQUIRER_TIMEOUT_SECONDS.
CHARGE: EventOptions = {**_options(_LARGE, 20, 60, _INTERNAL, _SALT), "retry": True}
# The processor calls it. It refunds payments that came too late, in three attempts.
SETTLE = _options(_LARGE, 20, 60, _PUBLIC, _SALT, settings.ACQUIRER_WEBHOOK_SECRET)
ISSUE: EventOptions = {**_options(_SMALL, 20, 60, _INTERNAL, _SALT), "retry": True}
# Public, because Cloud Tasks calls the function's address on cloudfunctions.net, which internal
# ingress may refuse. The invoker's role protects it.
EXPIRE: TaskOptions = {
    **_options(_SMALL, 2, 60, _PUBLIC, _SALT),
    "retry_config": RetryConfig(max_attempts=5, min_backoff_seconds=5),
    # Expiry is not urgent: many at once must not slow down the buyers.
    "rate_limits": RateLimits(max_concurrent_dispatches=2),
}
REFUND: CallableOptions = {**_options(_SMALL, 5, 60, _PUBLIC, _SALT), **_CALLABLE}
AUDIT: EventOptions = {**_options(_SMALL, 5, 30, _INTERNAL, _SALT), "retry": True}
# Few instances, beyond which pages are answered with 429: telemetry must not be what a busy day
# costs. A request is held for as long as the OTLP endpoint takes, at most a second.
TELEMETRY = _options(_SMALL, 3, 10, _PUBLIC)
# Two sweeps at a time would resume the same orders.
SWEEP: Options = {**_options(_LARGE, 1, 120, _INTERNAL, _SALT), "concurrency": 1}
