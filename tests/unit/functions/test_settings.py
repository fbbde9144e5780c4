"""Every setting of the functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import settings

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = ROOT / "functions"

# Settings that .env.example lists for others: the page, OpenTelemetry, the scripts, the acquirer.
OTHERS = re.compile(r"VITE_\w+|OTEL_\w+|THROUGHLINE_\w+|ACQUIRER_(BOOK|DELAY_SECONDS)")

READERS: dict[str, tuple[Callable[[], object], object]] = {
    "ACQUIRER_URL": (settings.acquirer_url, "http://127.0.0.1:4320"),
    "ACQUIRER_WEBHOOK_SECRET": (settings.acquirer_webhook_secret, "whsec_for_the_local_stack_only"),
    "SETTLE_URL": (
        settings.settle_url,
        "http://127.0.0.1:5001/demo-throughline/us-central1/settle",
    ),
    "ACQUIRER_TIMEOUT_SECONDS": (settings.acquirer_timeout_seconds, 5.0),
    "HOLD_SECONDS": (settings.hold_seconds, 600.0),
    "SWEEP_AFTER_SECONDS": (settings.sweep_after_seconds, 60.0),
    "ORGANISER_EMAILS": (settings.organiser_emails, frozenset({"organiser@example.org"})),
    "PSEUDONYM_SALT": (settings.pseudonym_salt, "demo-throughline"),
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*READERS, "FAULTS", "K_SERVICE", "FUNCTIONS_EMULATOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GCLOUD_PROJECT", "demo-throughline")


def test_every_setting_has_a_reader_and_says_what_it_is_for() -> None:
    """The table and the functions that read it are the same list."""
    assert {setting.name for setting in settings.SETTINGS} == set(READERS)
    assert all(setting.help for setting in settings.SETTINGS)


@pytest.mark.parametrize("name", READERS)
def test_an_unset_setting_has_the_local_stacks_value(name: str) -> None:
    """Nothing need be set on one's own machine."""
    read, default = READERS[name]
    assert read() == default


@pytest.mark.parametrize("name", READERS)
def test_an_empty_setting_is_an_unset_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An env file says NAME= for what it leaves open."""
    monkeypatch.setenv(name, "")
    read, default = READERS[name]
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
    ],
)
def test_a_setting_that_is_set_counts(
    name: str, value: str, meant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In production as on one's own machine."""
    monkeypatch.setenv(name, value)
    assert READERS[name][0]() == meant
    monkeypatch.setenv("K_SERVICE", "settle")
    assert READERS[name][0]() == meant


@pytest.mark.parametrize("name", ["ACQUIRER_TIMEOUT_SECONDS", "HOLD_SECONDS"])
@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf", "5 s", "1e999"])
def test_a_number_that_is_none_is_an_error_that_names_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the setting, its value, and what it should be."""
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.SettingError) as error:
        READERS[name][0]()
    assert str(error.value) == f"{name} is {value!r}; it must be a number of seconds above zero."


@pytest.mark.parametrize("name", READERS)
def test_a_setting_that_production_lacks_is_an_error_that_names_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployed function must not fall back on somebody's own machine, or its public secret."""
    monkeypatch.setenv("K_SERVICE", "settle")
    with pytest.raises(settings.SettingError, match=rf"^{name} is not set: .+ functions/\.env\."):
        READERS[name][0]()


@pytest.mark.parametrize("name", READERS)
def test_the_emulator_is_not_production(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sets K_SERVICE as production does, and says so."""
    monkeypatch.setenv("K_SERVICE", "settle")
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    read, default = READERS[name]
    assert read() == default


@pytest.mark.parametrize(
    ("value", "emulated", "deployed"),
    [("", True, False), ("emulated", True, False), ("always", True, True), ("never", False, False)],
)
def test_the_bugs_on_purpose_can_be_turned_on_in_the_emulator_alone_unless_somebody_says_so(
    monkeypatch: pytest.MonkeyPatch, value: str, emulated: bool, deployed: bool
) -> None:
    """A deployed project that says nothing of them has none."""
    monkeypatch.setenv("FAULTS", value)
    monkeypatch.setenv("K_SERVICE", "settle")
    assert settings.faults_obey_flags() is deployed
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    assert settings.faults_obey_flags() is emulated


def test_a_place_for_the_bugs_that_is_none_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A misspelt one must not count as either."""
    monkeypatch.setenv("FAULTS", "yes")
    with pytest.raises(settings.SettingError, match=r"^FAULTS is 'yes'; it must be"):
        settings.faults_obey_flags()


def test_the_project_is_whichever_the_platform_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two names are in use for it; the emulator's goes first."""
    for name in ("GCLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    assert settings.project_id() == ""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "deployed")
    assert settings.project_id() == "deployed"
    monkeypatch.setenv("GCLOUD_PROJECT", "demo-throughline")
    assert settings.project_id() == "demo-throughline"


def environment_reads(source: str) -> Iterator[str]:
    """The names by which Python source gets at the environment."""
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
def test_a_reader_of_the_environment_is_recognised(source: str) -> None:
    """So that the next test means something."""
    assert list(environment_reads(source)) != []


def test_the_environment_is_read_in_two_places() -> None:
    """Settings are the app's; telemetry.py reads what OpenTelemetry and the platform define."""
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
    """`.env.example` and the table are the same list, apart from what belongs to others."""
    example = (ROOT / ".env.example").read_text()
    listed = set(re.findall(r"^(?:#\s*)?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))
    ours = {name for name in listed if not OTHERS.fullmatch(name)}
    everything = (*settings.SETTINGS, *settings.OPTIONAL_SETTINGS)
    assert ours == {setting.name for setting in everything}
