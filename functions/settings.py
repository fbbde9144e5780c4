"""Every setting of the functions, and the only module of the app that reads the environment.

Each is declared with `firebase_functions.params`. When it deploys, the Firebase CLI asks for those
that functions/.env.<project id> does not have, writes the answers to that file, and sets all of
them as environment variables. Secrets are in Secret Manager, and reach only the functions that list
them in function_options.py.

The local stack passes `LOCAL_VALUES`, or what its own environment has instead.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from typing import Any

from firebase_functions.params import (
    IntParam,
    ListParam,
    Param,
    SecretParam,
    SelectInput,
    SelectOption,
    StringParam,
    TextInput,
)

Setting = Param[Any] | SecretParam

_NUMBER_ABOVE_ZERO = TextInput(
    validation_regex=r"^(?!0*\.?0*$)\d*\.?\d+$",
    validation_error_message="It must be a number above zero.",
)
_WEB_ADDRESS = TextInput(
    example="https://processor.example",
    validation_regex=r"^https://[^/]+",
    validation_error_message="It must begin with https://",
)
_YES_OR_NO = SelectInput([SelectOption("no"), SelectOption("yes")])

# The CLI must know the region before it asks for settings: the name of the Eventarc channel, which
# contains the region, must be literal. So the question has no other answer.
_DEFAULT_REGION = "us-central1"

REGION = StringParam(
    "REGION",
    default=_DEFAULT_REGION,
    description="The region of all functions. To choose another, set REGION in "
    "functions/.env.<project id> before the first deployment. Firestore's location should be the "
    "same, or the multi-region that contains it: nam5 for us-central1, eur3 for europe-west1 or "
    "europe-west4.",
    input=SelectInput([SelectOption(_DEFAULT_REGION)]),
)
SERVICE_ACCOUNT = StringParam(
    "SERVICE_ACCOUNT",
    default="boxoffice",
    description="The name of the service account, in this project, that the functions run as.",
    input=TextInput(
        validation_regex=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
        validation_error_message="It must be the part of its address before the @.",
    ),
)
THREADS = IntParam(
    "THREADS",
    default=8,
    description="How many requests an instance serves at once. functions-framework starts as many "
    "threads, and the platform sends no more requests than that to one instance.",
)
ACQUIRER_URL = StringParam(
    "ACQUIRER_URL", description="The base URL of the card processor.", input=_WEB_ADDRESS
)
ACQUIRER_WEBHOOK_SECRET = SecretParam(
    "ACQUIRER_WEBHOOK_SECRET",
    description="The secret with which the card processor signs its webhooks.",
)
ACQUIRER_TIMEOUT_SECONDS = StringParam(
    "ACQUIRER_TIMEOUT_SECONDS",
    default="5",
    description="The timeout of one request to the card processor.",
    input=_NUMBER_ABOVE_ZERO,
)
SETTLE_URL = StringParam(
    "SETTLE_URL",
    default="",
    description="The public URL of the settle function, for the processor's webhooks. Leave it "
    "empty, unless a domain of your own leads to the function.",
)
SITE_ORIGINS = ListParam(
    "SITE_ORIGINS",
    default=[],
    description="The origins of the pages that may call the callable functions. Leave it empty "
    "for the project's two sites on web.app and firebaseapp.com.",
)
ORGANISER_EMAILS = ListParam(
    "ORGANISER_EMAILS",
    description="The e-mail addresses whose verified owners become organisers when they sign up.",
)
HOLD_SECONDS = StringParam(
    "HOLD_SECONDS",
    default="600",
    description="How long seats are held for a buyer who has not paid.",
    input=_NUMBER_ABOVE_ZERO,
)
SWEEP_AFTER_SECONDS = StringParam(
    "SWEEP_AFTER_SECONDS",
    default="60",
    description="How long an order may stay in one state before the sweep triggers its next stage "
    "again.",
    input=_NUMBER_ABOVE_ZERO,
)
UNPAID_ORDERS_MAX = IntParam(
    "UNPAID_ORDERS_MAX",
    default=6,
    description="How many orders that are not paid for yet one buyer may have at a time.",
)
UNPAID_SEATS_MAX = IntParam(
    "UNPAID_SEATS_MAX",
    default=12,
    description="How many seats the unpaid orders of one buyer may hold, at least the 8 of one "
    "order.",
)
UNPAID_SHARE_MAX = StringParam(
    "UNPAID_SHARE_MAX",
    default="0.5",
    description="The share of a show's seats that unpaid orders may hold. Further orders are "
    "charged without a hold, and get seats when they are paid for.",
)
UNPAID_STALL_SECONDS = StringParam(
    "UNPAID_STALL_SECONDS",
    default="6",
    description="If unpaid orders speak for all seats left, and some failed while none was paid "
    "for in this time, further orders are accepted without a hold; until then they wait.",
    input=_NUMBER_ABOVE_ZERO,
)
RETENTION_DAYS = IntParam(
    "RETENTION_DAYS",
    default=400,
    description="After how many days Firestore deletes orders that have ended, their tickets and "
    "audit entries, and dead letters.",
)
PSEUDONYM_SALT = SecretParam(
    "PSEUDONYM_SALT",
    description="The secret that turns users' ids into the pseudonyms on spans, such as the output "
    "of `openssl rand -hex 32`.",
)
ENFORCE_APP_CHECK = StringParam(
    "ENFORCE_APP_CHECK",
    default="no",
    description="Whether callable functions and the function telemetry refuse requests without a "
    "valid App Check token.",
    input=_YES_OR_NO,
)
RELAY_TELEMETRY = StringParam(
    "RELAY_TELEMETRY",
    default="yes",
    description="Whether the function telemetry relays the page's spans and log records. After no, "
    "pages stop sending.",
    input=_YES_OR_NO,
)
TELEMETRY_REQUESTS_PER_SECOND = IntParam(
    "TELEMETRY_REQUESTS_PER_SECOND",
    default=200,
    description="How many requests of pages an instance of the function telemetry accepts each "
    "second.",
)
FAULTS = StringParam(
    "FAULTS",
    default="emulated",
    description="Where the faults can be turned on by their flags: emulated (only in the "
    "emulator), always (in production too) or never.",
    input=SelectInput([SelectOption("emulated"), SelectOption("never"), SelectOption("always")]),
)

# The package throughline reads OpenTelemetry's variables itself. The two that a deployment depends
# on are declared here all the same: the CLI reports no variable that it does not know.
OTLP_ENDPOINT = StringParam(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    default="https://telemetry.googleapis.com",
    description="The OTLP endpoint that the functions' spans go to.",
)
LOGS_EXPORTER = StringParam(
    "OTEL_LOGS_EXPORTER",
    default="none",
    description="Whether the functions' log records go to the OTLP endpoint too: otlp or none. "
    "Cloud Logging has them in either case.",
    input=SelectInput([SelectOption("none"), SelectOption("otlp")]),
)
OTLP_HEADERS_SECRET = StringParam(
    "OTLP_HEADERS_SECRET",
    default="no",
    description="Whether the OTLP endpoint needs a key: yes binds the secret "
    "OTEL_EXPORTER_OTLP_HEADERS, as key=value,key=value, to all functions. Deploy again after a "
    "change.",
    input=_YES_OR_NO,
)

LOCAL_VALUES: Mapping[str, str] = {
    "ACQUIRER_URL": "http://127.0.0.1:4320",
    "ACQUIRER_WEBHOOK_SECRET": "whsec_for_the_local_stack_only",
    "SETTLE_URL": "http://127.0.0.1:5001/demo-throughline/us-central1/settle",
    "ORGANISER_EMAILS": "organiser@example.org",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
    "OTEL_LOGS_EXPORTER": "otlp",
}
"""What the local stack has in place of a setting's default, or of a value that must be given."""


class SettingError(Exception):
    """Raised for a missing or invalid setting; the message names it and what it must be."""


def declared() -> dict[str, Setting]:
    """Return every setting and secret by name, in the order in which the CLI asks for them."""
    return {each.name: each for each in globals().values() if isinstance(each, Param | SecretParam)}


def local_environment(environment: Mapping[str, str], project: str) -> dict[str, str]:
    """Return the value of every setting and secret on the local stack.

    `environment` takes precedence, where it has a value that is not empty.
    """
    values = {}
    for name, setting in declared().items():
        default = project if setting is PSEUDONYM_SALT else _default(setting)
        values[name] = environment.get(name) or LOCAL_VALUES.get(name) or default
    return values


def _default(setting: Setting) -> str:
    default = getattr(setting, "default", None)
    return "" if default is None or default == [] else str(default)


def _value(setting: Setting) -> str:
    """Return a setting's value as text; an empty variable counts as unset.

    `Param.value` does not serve: it takes an empty variable as the value, and fails on a malformed
    number without naming the setting.
    """
    if value := os.environ.get(setting.name, ""):
        return value
    is_deployed = bool(os.environ.get("K_SERVICE")) and not is_emulated()
    value = _default(setting) if is_deployed else LOCAL_VALUES.get(setting.name, _default(setting))
    is_required = isinstance(setting, SecretParam) or setting.default is None
    if not value and is_required and is_deployed:
        raise SettingError(
            f"{setting.name} is not set: {setting.description} Set it "
            + (
                f"with `firebase functions:secrets:set {setting.name}`."
                if isinstance(setting, SecretParam)
                else "in functions/.env.<project id>."
            )
        )
    return value


def _count(setting: Setting, least: int) -> int:
    value = _value(setting)
    if not value.isdecimal() or not value.isascii() or int(value) < least:
        raise SettingError(
            f"{setting.name} is {value!r}; it must be a whole number, at least {least}."
        )
    return int(value)


def _positive(setting: Setting) -> float:
    value = _value(setting)
    try:
        number = float(value)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        raise SettingError(
            f"{setting.name} is {value!r}; it must be a number of seconds above zero."
        )
    return number


def _is_yes(setting: Setting) -> bool:
    value = _value(setting)
    if value not in ("yes", "no"):
        raise SettingError(f"{setting.name} is {value!r}; it must be yes or no.")
    return value == "yes"


def _texts(setting: ListParam) -> list[str]:
    """Return the texts of a list, which the CLI passes as JSON and the emulator with commas."""
    value = _value(setting)
    texts = json.loads(value) if value.startswith("[") else value.split(",")
    return [text.strip() for text in texts if text.strip()]


def is_emulated() -> bool:
    """Return whether the functions run in the emulator, which sets FUNCTIONS_EMULATOR."""
    return bool(os.environ.get("FUNCTIONS_EMULATOR"))


def eventarc_url() -> str:
    """Return the base URL of Eventarc or its emulator, without a trailing slash."""
    emulator = os.environ.get("CLOUD_EVENTARC_EMULATOR_HOST", "")
    return emulator.rstrip("/") or "https://eventarcpublishing.googleapis.com/v1"


def project_id() -> str:
    """Return the Google Cloud project's id, which the platform and the emulator set."""
    return os.environ.get("GCLOUD_PROJECT") or os.environ.get("GOOGLE_CLOUD_PROJECT", "")


def region() -> str:
    """Return the region of the functions, their task queues and their Eventarc channel."""
    return _value(REGION)


def acquirer_url() -> str:
    """Return the card processor's base URL, without a trailing slash."""
    return _value(ACQUIRER_URL).rstrip("/")


def acquirer_webhook_secret() -> str:
    """Return the secret with which webhooks are signed."""
    return _value(ACQUIRER_WEBHOOK_SECRET)


def acquirer_timeout_seconds() -> float:
    """Return the timeout of a request to the card processor."""
    return _positive(ACQUIRER_TIMEOUT_SECONDS)


def settle_url() -> str:
    """Return the public URL of the settle function."""
    return _value(SETTLE_URL) or f"https://{region()}-{project_id()}.cloudfunctions.net/settle"


def site_origins() -> list[str] | re.Pattern[str]:
    """Return the origins of the pages that may call the callable functions.

    In the emulator these are all of this machine: a stack may use other ports.
    """
    if origins := _texts(SITE_ORIGINS):
        return origins
    if is_emulated():
        return re.compile(r"http://(127\.0\.0\.1|localhost)(:\d+)?$")
    return [f"https://{project_id()}.{domain}" for domain in ("web.app", "firebaseapp.com")]


def hold_seconds() -> float:
    """Return how long reserved seats stay held."""
    return _positive(HOLD_SECONDS)


def unpaid_orders_max() -> int:
    """Return how many unpaid orders one buyer may have."""
    return _count(UNPAID_ORDERS_MAX, 1)


def unpaid_seats_max() -> int:
    """Return how many seats the unpaid orders of one buyer may hold."""
    return _count(UNPAID_SEATS_MAX, 8)


def unpaid_share_max() -> float:
    """Return the share of a show's seats that unpaid orders may hold, from 0 to 1."""
    value = _value(UNPAID_SHARE_MAX)
    try:
        share = float(value)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise SettingError(f"UNPAID_SHARE_MAX is {value!r}; it must be a number from 0 to 1.")
    return share


def unpaid_stall_seconds() -> float:
    """Return how long unpaid orders may keep all seats of a show without a payment."""
    return _positive(UNPAID_STALL_SECONDS)


def retention_days() -> int:
    """Return how many days an order is kept after it has ended."""
    return _count(RETENTION_DAYS, 1)


def organiser_emails() -> frozenset[str]:
    """Return the organisers' e-mail addresses, in lower case."""
    return frozenset(address.lower() for address in _texts(ORGANISER_EMAILS))


def pseudonym_salt() -> str:
    """Return the secret that users' pseudonyms are made with.

    The rules monitor computes the same pseudonyms from the emulator's value, the project's id.
    """
    return _value(PSEUDONYM_SALT) or project_id()


def enforce_app_check() -> bool:
    """Return whether callable functions demand an App Check token."""
    return _is_yes(ENFORCE_APP_CHECK)


def relay_telemetry() -> bool:
    """Return whether the page's telemetry is relayed."""
    return _is_yes(RELAY_TELEMETRY)


def telemetry_requests_per_second() -> int:
    """Return how many requests an instance of the function telemetry accepts each second."""
    return _count(TELEMETRY_REQUESTS_PER_SECOND, 1)


def has_otlp_headers_secret() -> bool:
    """Return whether the functions get the secret OTEL_EXPORTER_OTLP_HEADERS."""
    return _is_yes(OTLP_HEADERS_SECRET)


def faults_allowed() -> bool:
    """Return whether faults may be installed, so that their flags can turn them on."""
    value = _value(FAULTS)
    if value not in ("emulated", "always", "never"):
        raise SettingError(f"FAULTS is {value!r}; it must be emulated, always or never.")
    return value == "always" or (value == "emulated" and is_emulated())


def sweep_after_seconds() -> float:
    """Return how long an order may stay in one state before the sweep resumes it."""
    return _positive(SWEEP_AFTER_SECONDS)


OTLP_HEADERS = (
    SecretParam(
        "OTEL_EXPORTER_OTLP_HEADERS",
        description="The headers of requests to the OTLP endpoint, as key=value,key=value.",
    )
    if has_otlp_headers_secret()
    else None
)
"""Declared only where it is needed: the CLI deploys nothing while a secret has no value."""
