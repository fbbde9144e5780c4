"""Every setting of the functions, and the only module of the app that reads the environment.

The defaults are for the local stack; a deployed project sets its own values (see .env.example).
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """One setting: its environment variable, its default and a description."""

    name: str
    default: str
    help: str


SETTINGS = (
    Setting("ACQUIRER_URL", "http://127.0.0.1:4320", "the base URL of the card processor"),
    Setting(
        "ACQUIRER_WEBHOOK_SECRET",
        "whsec_for_the_local_stack_only",
        "the secret with which the card processor signs its webhooks",
    ),
    Setting(
        "SETTLE_URL",
        "http://127.0.0.1:5001/demo-throughline/us-central1/settle",
        "the public URL of the settle function, for the processor's webhooks",
    ),
    Setting("ACQUIRER_TIMEOUT_SECONDS", "5", "the timeout of one request to the card processor"),
    Setting(
        "ORGANISER_EMAILS",
        "organiser@example.org",
        "the e-mail addresses that become organisers when they sign up, separated by commas",
    ),
    Setting(
        "SWEEP_AFTER_SECONDS",
        "60",
        "how long an order may stay in one state before the sweep triggers its next stage again",
    ),
    Setting("HOLD_SECONDS", "600", "how long seats are held for a buyer who has not paid"),
    Setting(
        "PSEUDONYM_SALT",
        "",
        "the secret that turns users' ids into the pseudonyms on spans; the emulator's default is "
        "the project's id",
    ),
)


OPTIONAL_SETTINGS = (
    Setting(
        "UNPAID_ORDERS_MAX",
        "6",
        "how many orders that are not paid for yet one buyer may have at a time",
    ),
    Setting(
        "UNPAID_SEATS_MAX",
        "12",
        "how many seats the unpaid orders of one buyer may hold, at least the 8 of one order",
    ),
    Setting(
        "UNPAID_SHARE_MAX",
        "0.5",
        "the share of a show's seats that unpaid orders may hold; further orders are charged "
        "without a hold, and get seats when they are paid for",
    ),
    Setting(
        "UNPAID_STALL_SECONDS",
        "6",
        "if unpaid orders speak for all seats left, and some failed while none was paid for in "
        "this time, further orders are accepted without a hold; until then they wait",
    ),
    Setting(
        "ENFORCE_APP_CHECK",
        "no",
        "whether callable functions refuse requests without a valid App Check token: yes or no",
    ),
    Setting(
        "RELAY_TELEMETRY",
        "yes",
        "whether the function telemetry relays the page's spans and log records: yes, or no, after "
        "which pages stop sending",
    ),
    Setting(
        "TELEMETRY_REQUESTS_PER_SECOND",
        "200",
        "how many requests of pages an instance of the function telemetry accepts each second",
    ),
    Setting(
        "FAULTS",
        "emulated",
        "where the faults can be turned on by their flags: emulated (only in the emulator), always "
        "(in production too) or never",
    ),
)
"""Settings whose default is right for a deployed project too."""


class SettingError(Exception):
    """Raised for a missing or invalid setting; the message names it and what it must be."""


def _value(name: str) -> str:
    setting = next(one for one in (*SETTINGS, *OPTIONAL_SETTINGS) if one.name == name)
    value = os.environ.get(name, "")
    if value:
        return value
    if setting in SETTINGS and os.environ.get("K_SERVICE") and not is_emulated():
        raise SettingError(
            f"{name} is not set: {setting.help}. Set it in functions/.env.<project>."
        )
    return setting.default


def _count(name: str, least: int) -> int:
    value = _value(name)
    if not value.isdecimal() or not value.isascii() or int(value) < least:
        raise SettingError(f"{name} is {value!r}; it must be a whole number, at least {least}.")
    return int(value)


def _positive(name: str) -> float:
    value = _value(name)
    try:
        number = float(value)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        raise SettingError(f"{name} is {value!r}; it must be a number of seconds above zero.")
    return number


def _is_yes(name: str) -> bool:
    value = _value(name)
    if value not in ("yes", "no"):
        raise SettingError(f"{name} is {value!r}; it must be yes or no.")
    return value == "yes"


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


def acquirer_url() -> str:
    """Return the card processor's base URL, without a trailing slash."""
    return _value("ACQUIRER_URL").rstrip("/")


def acquirer_webhook_secret() -> str:
    """Return the secret with which webhooks are signed."""
    return _value("ACQUIRER_WEBHOOK_SECRET")


def acquirer_timeout_seconds() -> float:
    """Return the timeout of a request to the card processor."""
    return _positive("ACQUIRER_TIMEOUT_SECONDS")


def settle_url() -> str:
    """Return the public URL of the settle function."""
    return _value("SETTLE_URL")


def hold_seconds() -> float:
    """Return how long reserved seats stay held."""
    return _positive("HOLD_SECONDS")


def unpaid_orders_max() -> int:
    """Return how many unpaid orders one buyer may have."""
    return _count("UNPAID_ORDERS_MAX", 1)


def unpaid_seats_max() -> int:
    """Return how many seats the unpaid orders of one buyer may hold."""
    return _count("UNPAID_SEATS_MAX", 8)


def unpaid_share_max() -> float:
    """Return the share of a show's seats that unpaid orders may hold, from 0 to 1."""
    value = _value("UNPAID_SHARE_MAX")
    try:
        share = float(value)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise SettingError(f"UNPAID_SHARE_MAX is {value!r}; it must be a number from 0 to 1.")
    return share


def unpaid_stall_seconds() -> float:
    """Return how long unpaid orders may keep all seats of a show without a payment."""
    return _positive("UNPAID_STALL_SECONDS")


def organiser_emails() -> frozenset[str]:
    """Return the organisers' e-mail addresses, in lower case."""
    return frozenset(
        address.strip().lower() for address in _value("ORGANISER_EMAILS").split(",")
    ) - {""}


def pseudonym_salt() -> str:
    """Return the secret that users' pseudonyms are made with.

    The rules monitor computes the same pseudonyms from the emulator's default.
    """
    return _value("PSEUDONYM_SALT") or project_id()


def enforce_app_check() -> bool:
    """Return whether callable functions demand an App Check token."""
    return _is_yes("ENFORCE_APP_CHECK")


def relay_telemetry() -> bool:
    """Return whether the page's telemetry is relayed."""
    return _is_yes("RELAY_TELEMETRY")


def telemetry_requests_per_second() -> int:
    """Return how many requests an instance of the function telemetry accepts each second."""
    return _count("TELEMETRY_REQUESTS_PER_SECOND", 1)


def faults_allowed() -> bool:
    """Return whether faults may be installed, so that their flags can turn them on."""
    value = _value("FAULTS")
    if value not in ("emulated", "always", "never"):
        raise SettingError(f"FAULTS is {value!r}; it must be emulated, always or never.")
    return value == "always" or (value == "emulated" and is_emulated())


def sweep_after_seconds() -> float:
    """Return how long an order may stay in one state before the sweep resumes it."""
    return _positive("SWEEP_AFTER_SECONDS")
