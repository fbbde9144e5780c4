"""The settings of the functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from firebase_functions.params import SecretParam

import settings
from stack import settings_example

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = ROOT / "functions"

# Variables in .env.example of other programs: page, OpenTelemetry, scripts, acquirer.
OTHERS = re.compile(
    r"VITE_\w+|OTEL_\w+|THROUGHLINE_\w+|ACQUIRER_(BOOK|DELAY_SECONDS|WEBHOOK_PATTERN)"
)

# Settings that a deployed project must give, and their values on the local stack.
REQUIRED_READERS: dict[str, tuple[Callable[[], object], object]] = {
    "ACQUIRER_URL": (settings.acquirer_url, "http://127.0.0.1:4320"),
    "ACQUIRER_WEBHOOK_SECRET": (settings.acquirer_webhook_secret, "whsec_for_the_local_stack_only"),
    "ORGANISER_EMAILS": (settings.organiser_emails, frozenset({"organiser@example.org"})),
    "PSEUDONYM_SALT": (settings.pseudonym_salt, "demo-throughline"),
}

# Settings whose default is right for a deployed project too.
OPTIONAL_READERS: dict[str, tuple[Callable[[], object], object]] = {
    "REGION": (settings.region, "us-central1"),
    "ACQUIRER_TIMEOUT_SECONDS": (settings.acquirer_timeout_seconds, 5.0),
    "HOLD_SECONDS": (settings.hold_seconds, 600.0),
    "SWEEP_AFTER_SECONDS": (settings.sweep_after_seconds, 60.0),
    "UNPAID_ORDERS_MAX": (settings.unpaid_orders_max, 6),
    "UNPAID_SEATS_MAX": (settings.unpaid_seats_max, 12),
    "UNPAID_SHARE_MAX": (settings.unpaid_share_max, 0.5),
    "UNPAID_STALL_SECONDS": (settings.unpaid_stall_seconds, 6.0),
    "RETENTION_DAYS": (settings.retention_days, 400),
    "ENFORCE_APP_CHECK": (settings.enforce_app_check, False),
    "RELAY_TELEMETRY": (settings.relay_telemetry, True),
    "TELEMETRY_REQUESTS_PER_SECOND": (settings.telemetry_requests_per_second, 200),
    "OTLP_HEADERS_SECRET": (settings.has_otlp_headers_secret, False),
}

# Settings whose value on the local stack differs from that in a deployed project.
DERIVED_READERS: dict[str, Callable[[], object]] = {
    "SETTLE_URL": settings.settle_url,
    "SITE_ORIGINS": settings.site_origins,
    "FAULTS": settings.faults_allowed,
}

READERS = {
    **{name: read for name, (read, _) in (REQUIRED_READERS | OPTIONAL_READERS).items()},
    **DERIVED_READERS,
}

# Settings that the CLI, functions-framework or OpenTelemetry reads.
READ_ELSEWHERE = {
    "SERVICE_ACCOUNT",
    "THREADS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_LOGS_EXPORTER",
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*READERS, *READ_ELSEWHERE, "K_SERVICE", "FUNCTIONS_EMULATOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GCLOUD_PROJECT", "demo-throughline")


def test_every_setting_has_a_reader_and_a_description() -> None:
    """The declared settings and the reading functions are the same, but for those of others."""
    assert set(settings.declared()) == {*READERS, *READ_ELSEWHERE}
    assert all(setting.description for setting in settings.declared().values())


def test_the_cli_asks_for_what_a_deployed_project_must_give() -> None:
    """It offers a setting's default, and stops a deployment without a secret's value."""
    required = {
        name
        for name, setting in settings.declared().items()
        if isinstance(setting, SecretParam) or setting.default is None
    }
    assert required == set(REQUIRED_READERS)


@pytest.mark.parametrize("name", REQUIRED_READERS)
def test_an_unset_setting_has_the_local_stacks_value(name: str) -> None:
    """The local stack needs no settings."""
    read, default = REQUIRED_READERS[name]
    assert read() == default


@pytest.mark.parametrize("name", REQUIRED_READERS)
def test_an_empty_setting_counts_as_unset(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An env file has NAME= for a value that it leaves open."""
    monkeypatch.setenv(name, "")
    read, default = REQUIRED_READERS[name]
    assert read() == default


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("ACQUIRER_URL", "https://acquirer.example/", "https://acquirer.example"),
        ("ACQUIRER_WEBHOOK_SECRET", "whsec_1", "whsec_1"),
        ("SETTLE_URL", "https://settle.example", "https://settle.example"),
        ("ACQUIRER_TIMEOUT_SECONDS", "0.5", 0.5),
        ("HOLD_SECONDS", "90", 90.0),
        ("PSEUDONYM_SALT", "a-secret", "a-secret"),
        ("REGION", "europe-west1", "europe-west1"),
        (
            "ORGANISER_EMAILS",
            " Ann@example.org, bo@example.org,",
            {"ann@example.org", "bo@example.org"},
        ),
        (
            "ORGANISER_EMAILS",
            '["ann@example.org","bo@example.org"]',
            {"ann@example.org", "bo@example.org"},
        ),
        (
            "SITE_ORIGINS",
            "https://shop.example,https://www.shop.example",
            ["https://shop.example", "https://www.shop.example"],
        ),
        ("SITE_ORIGINS", '["https://shop.example"]', ["https://shop.example"]),
    ],
)
def test_a_set_value_is_used(
    name: str, value: str, meant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That holds in production and on the local stack."""
    monkeypatch.setenv(name, value)
    assert READERS[name]() == meant
    monkeypatch.setenv("K_SERVICE", "settle")
    assert READERS[name]() == meant


@pytest.mark.parametrize("name", ["ACQUIRER_TIMEOUT_SECONDS", "HOLD_SECONDS"])
@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf", "5 s", "1e999"])
def test_an_invalid_number_is_an_error_with_the_settings_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the name, the value and the requirement."""
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.SettingError) as error:
        READERS[name]()
    assert str(error.value) == f"{name} is {value!r}; it must be a number of seconds above zero."


@pytest.mark.parametrize("name", REQUIRED_READERS)
def test_a_setting_missing_in_production_is_an_error_with_its_name(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployed function must not use the local stack's addresses or its public secret."""
    monkeypatch.setenv("K_SERVICE", "settle")
    is_secret = isinstance(settings.declared()[name], SecretParam)
    hint = f"functions:secrets:set {name}`" if is_secret else r"functions/\.env\."
    with pytest.raises(settings.SettingError, match=rf"^{name} is not set: .+ {hint}"):
        READERS[name]()


@pytest.mark.parametrize("name", REQUIRED_READERS)
def test_the_emulator_is_not_production(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sets K_SERVICE as production does, but FUNCTIONS_EMULATOR too."""
    monkeypatch.setenv("K_SERVICE", "settle")
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    read, default = REQUIRED_READERS[name]
    assert read() == default


def test_addresses_of_the_deployed_project_are_derived_from_its_id_and_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the webhooks' address nor the site's origins need a setting of their own."""
    assert settings.settle_url() == "http://127.0.0.1:5001/demo-throughline/us-central1/settle"
    monkeypatch.setenv("K_SERVICE", "settle")
    monkeypatch.setenv("GCLOUD_PROJECT", "box-office")
    monkeypatch.setenv("REGION", "europe-west1")
    assert settings.settle_url() == "https://europe-west1-box-office.cloudfunctions.net/settle"
    assert settings.site_origins() == [
        "https://box-office.web.app",
        "https://box-office.firebaseapp.com",
    ]


def test_the_emulator_allows_the_origins_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack at another port offset has its page on another port."""
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    origins = settings.site_origins()
    assert isinstance(origins, re.Pattern)
    for origin in ("http://127.0.0.1:5002", "http://127.0.0.1:6002", "http://localhost:5173"):
        assert origins.match(origin)
    for origin in ("http://127.0.0.1.example:5002", "https://example.org", "http://10.0.0.1:5002"):
        assert not origins.match(origin)


def test_the_local_environment_has_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator's CLI would ask for one that is missing, and has no terminal to ask on."""
    environment = {"HOLD_SECONDS": "7", "ACQUIRER_URL": "", "PATH": "/bin"}
    values = settings.local_environment(environment, "demo-throughline")
    assert set(values) == set(settings.declared())
    assert values["HOLD_SECONDS"] == "7"
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    for name, (read, default) in (REQUIRED_READERS | OPTIONAL_READERS).items():
        assert read() == (7.0 if name == "HOLD_SECONDS" else default)


@pytest.mark.parametrize("name", OPTIONAL_READERS)
def test_an_optional_setting_has_a_default_in_production_too(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unset or empty, here and there."""
    read, default = OPTIONAL_READERS[name]
    assert read() == default
    monkeypatch.setenv(name, "")
    monkeypatch.setenv("K_SERVICE", "reserve")
    assert read() == default


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("UNPAID_ORDERS_MAX", "1", 1),
        ("UNPAID_SEATS_MAX", "8", 8),
        ("UNPAID_SHARE_MAX", "0", 0.0),
        ("UNPAID_SHARE_MAX", "1", 1.0),
        ("ENFORCE_APP_CHECK", "yes", True),
        ("ENFORCE_APP_CHECK", "no", False),
        ("RELAY_TELEMETRY", "no", False),
        ("TELEMETRY_REQUESTS_PER_SECOND", "1", 1),
    ],
)
def test_a_set_value_of_an_optional_setting_is_used(
    name: str, value: str, meant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smallest and the largest values are allowed."""
    monkeypatch.setenv(name, value)
    assert OPTIONAL_READERS[name][0]() == meant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("UNPAID_ORDERS_MAX", value) for value in ("0", "-1", "2.5", "three", "٣")),
        *(("UNPAID_SEATS_MAX", value) for value in ("7", "-8", "all")),
        *(("UNPAID_SHARE_MAX", value) for value in ("-0.1", "1.1", "50%", "nan", "inf")),
        *(("RETENTION_DAYS", value) for value in ("0", "-1", "1.5", "ever")),
        *(("UNPAID_STALL_SECONDS", value) for value in ("0", "-1", "soon", "inf")),
        *(("ENFORCE_APP_CHECK", value) for value in ("true", "1", "on")),
        *(("RELAY_TELEMETRY", value) for value in ("false", "0", "off")),
        *(("TELEMETRY_REQUESTS_PER_SECOND", value) for value in ("0", "1.5", "many")),
    ],
)
def test_an_invalid_limit_is_an_error_with_its_name_and_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One order of 8 seats must fit, and a misspelt value must not count as no limit."""
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.SettingError) as error:
        OPTIONAL_READERS[name][0]()
    assert str(error.value).startswith(f"{name} is {value!r}; it must be ")


@pytest.mark.parametrize(
    ("value", "emulated", "deployed"),
    [("", True, False), ("emulated", True, False), ("always", True, True), ("never", False, False)],
)
def test_faults_are_installed_only_in_the_emulator_by_default(
    monkeypatch: pytest.MonkeyPatch, value: str, emulated: bool, deployed: bool
) -> None:
    """Without the setting a deployed project has none."""
    monkeypatch.setenv("FAULTS", value)
    monkeypatch.setenv("K_SERVICE", "settle")
    assert settings.faults_allowed() is deployed
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    assert settings.faults_allowed() is emulated


def test_an_invalid_value_of_faults_is_an_error_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A misspelt value must not count as any of the three."""
    monkeypatch.setenv("FAULTS", "yes")
    with pytest.raises(settings.SettingError, match=r"^FAULTS is 'yes'; it must be"):
        settings.faults_allowed()


def test_either_platform_variable_gives_the_project_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two variables are in use; the emulator's takes precedence."""
    for name in ("GCLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    assert settings.project_id() == ""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "deployed")
    assert settings.project_id() == "deployed"
    monkeypatch.setenv("GCLOUD_PROJECT", "demo-throughline")
    assert settings.project_id() == "demo-throughline"


def environment_reads(source: str) -> Iterator[str]:
    """Yield the names by which Python source accesses the environment."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr="environ" | "environb" | "getenv" | "getenvb" as name):
                yield name
            case ast.ImportFrom(module="os", names=names):
                yield from (n.name for n in names if n.name.startswith(("environ", "getenv")))


@pytest.mark.parametrize(
    "source",
    ["import os\nos.environ['A']", "import os as o\no.getenv('A')", "from os import environ as e"],
)
def test_reads_of_the_environment_are_recognised(source: str) -> None:
    """Guards the next test against finding nothing."""
    assert list(environment_reads(source)) != []


def test_the_environment_is_read_in_two_places() -> None:
    """settings.py reads the app's variables, telemetry.py OpenTelemetry's and the platform's."""
    files = [
        path for path in FUNCTIONS.rglob("*.py") if "venv" not in path.relative_to(FUNCTIONS).parts
    ]
    assert len(files) > 15
    readers = {
        path.relative_to(FUNCTIONS).as_posix()
        for path in files
        if list(environment_reads(path.read_text()))
    }
    assert readers == {"settings.py", "throughline/telemetry.py"}


def test_the_example_lists_every_setting_and_no_other() -> None:
    """`functions/.env.example` is generated from the declarations, and up to date."""
    example = (FUNCTIONS / ".env.example").read_text()
    assert example == settings_example.render()
    listed = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE)
    names = settings.declared()
    assert listed == [name for name in names if not isinstance(names[name], SecretParam)]
    assert all(name in example for name in names)


def test_no_setting_of_the_functions_is_in_the_other_examples() -> None:
    """Those of other programs are; OpenTelemetry's variables are for the acquirer too."""
    for example in (ROOT / ".env.example", ROOT / "frontend" / ".env.example"):
        listed = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", example.read_text(), re.MULTILINE)
        assert listed
        assert [name for name in listed if not OTHERS.fullmatch(name)] == []
