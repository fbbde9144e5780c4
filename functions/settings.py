"""Every setting of the functions, and their only reader of the environment.

The defaults are those of the local stack; a deployed project sets its own, as .env.example says.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """One setting: the environment variable's name, its value where unset, and what it is for."""

    name: str
    default: str
    help: str


SETTINGS = (
    Setting("ACQUIRER_URL", "http://127.0.0.1:4320", "where the card processor answers"),
    Setting(
        "ACQUIRER_WEBHOOK_SECRET",
        "whsec_for_the_local_stack_only",
        "the secret that the card processor signs its webhooks with",
    ),
    Setting(
        "SETTLE_URL",
        "http://127.0.0.1:5001/demo-throughline/us-central1/settle",
        "where the card processor finds our webhook",
    ),
    Setting("ACQUIRER_TIMEOUT_SECONDS", "5", "how long one call to the card processor may take"),
    Setting(
        "ORGANISER_EMAILS",
        "organiser@example.org",
        "whose e-mail addresses make them organisers when they sign up, with commas between",
    ),
    Setting(
        "SWEEP_AFTER_SECONDS",
        "60",
        "how long an order may stay where it is before the sweep tells the next stage again",
    ),
    Setting("HOLD_SECONDS", "600", "how long seats are held for a buyer who has not paid"),
    Setting(
        "PSEUDONYM_SALT",
        "",
        "the secret that turns users' ids into the pseudonyms on spans; in the emulator, where it "
        "is not set, the project's id",
    ),
)


OPTIONAL_SETTINGS = (
    Setting(
        "FAULTS",
        "emulated",
        "where the bugs on purpose go by their flags: emulated, in the emulator alone; always, in "
        "production too; never",
    ),
)
"""What a deployed project may leave as it is: the default is right there too."""


class SettingError(Exception):
    """A setting's value can't be used; the message names it and says what it should be."""


def _value(name: str) -> str:
    setting = next(setting for setting in SETTINGS if setting.name == name)
    value = os.environ.get(name, "")
    if value:
        return value
    if os.environ.get("K_SERVICE") and not is_emulated():
        raise SettingError(
            f"{name} is not set: {setting.help}. Set it in functions/.env.<project>."
        )
    return setting.default


def _positive(name: str) -> float:
    value = _value(name)
    try:
        number = float(value)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        raise SettingError(f"{name} is {value!r}; it must be a number of seconds above zero.")
    return number


def is_emulated() -> bool:
    """Whether the functions run in the emulator; it says so."""
    return bool(os.environ.get("FUNCTIONS_EMULATOR"))


def eventarc_url() -> str:
    """Where events are published, without a slash at its end; the emulator says where it is."""
    emulator = os.environ.get("CLOUD_EVENTARC_EMULATOR_HOST", "")
    return emulator.rstrip("/") or "https://eventarcpublishing.googleapis.com/v1"


def project_id() -> str:
    """The Google Cloud project; the platform and the emulator both say it."""
    return os.environ.get("GCLOUD_PROJECT") or os.environ.get("GOOGLE_CLOUD_PROJECT", "")


def acquirer_url() -> str:
    """The card processor's address, without a slash at its end."""
    return _value("ACQUIRER_URL").rstrip("/")


def acquirer_webhook_secret() -> str:
    """The secret that webhooks are signed with."""
    return _value("ACQUIRER_WEBHOOK_SECRET")


def acquirer_timeout_seconds() -> float:
    """How long to wait for the card processor's answer."""
    return _positive("ACQUIRER_TIMEOUT_SECONDS")


def settle_url() -> str:
    """The public address of the settle function."""
    return _value("SETTLE_URL")


def hold_seconds() -> float:
    """How long reserved seats stay held."""
    return _positive("HOLD_SECONDS")


def organiser_emails() -> frozenset[str]:
    """The organisers' addresses, in lower case."""
    return frozenset(
        address.strip().lower() for address in _value("ORGANISER_EMAILS").split(",")
    ) - {""}


def pseudonym_salt() -> str:
    """The secret that users' pseudonyms are made with; the rules monitor knows the emulator's."""
    return _value("PSEUDONYM_SALT") or project_id()


def faults_obey_flags() -> bool:
    """Whether the bugs on purpose can be turned on at all."""
    value = os.environ.get("FAULTS", "") or "emulated"
    if value not in ("emulated", "always", "never"):
        raise SettingError(f"FAULTS is {value!r}; it must be emulated, always or never.")
    return value == "always" or (value == "emulated" and is_emulated())


def sweep_after_seconds() -> float:
    """How long an order may stay between two stages."""
    return _positive("SWEEP_AFTER_SECONDS")
