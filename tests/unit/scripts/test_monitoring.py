"""The files in monitoring/ are messages of Google's APIs, about the functions that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from google.cloud.billing.budgets_v1.types import Budget
from google.cloud.logging_v2.types import LogMetric
from google.cloud.monitoring_dashboard_v1.types import Dashboard
from google.cloud.monitoring_v3.types import AlertPolicy, Service, ServiceLevelObjective

from stack import paths

FOLDER = paths.ROOT / "monitoring"
MESSAGES: dict[str, Any] = {
    "budget.json": Budget,
    "dashboard.json": Dashboard,
    "service.json": Service,
    "log_metrics/*.json": LogMetric,
    "slos/*.json": ServiceLevelObjective,
    "alerts/*.json": AlertPolicy,
}
FILES = {path: message for name, message in MESSAGES.items() for path in FOLDER.glob(name)}

# Log lines that the stages and throughline write, as their formats in the code produce them.
LOG_LINES = {
    '"Order %s is %s"': "Order 2RCVVo2ix3sdUFesZpgN is ticketed",
    '"%s gave up: %s"': "settle gave up: the charge has no metadata",
    '"%d items of telemetry were dropped: more came than could be sent"': (
        "7 items of telemetry were dropped: more came than could be sent"
    ),
    '"The OTLP endpoint refuses a batch: %d items are dropped"': (
        "The OTLP endpoint refuses a batch: 7 items are dropped"
    ),
}


def parse(path: Path) -> Any:
    """Return a file's message; fails on a field that the message does not have."""
    return FILES[path].from_json(path.read_text(), ignore_unknown_fields=False)


def test_every_file_is_parsed() -> None:
    """None is left out of the tests below, or of a deployment."""
    assert set(FILES) == set(FOLDER.rglob("*.json"))
    assert len(list(FOLDER.glob("slos/*.json"))) == 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_each_file_is_a_message_of_its_api(path: Path) -> None:
    """Its fields, enumerations and durations are those of the published protocol buffers."""
    message = parse(path)
    assert getattr(message, "display_name", "") or message.name == path.stem


def test_an_unknown_field_is_found() -> None:
    """Guards the test above."""
    with pytest.raises(Exception, match="no field named"):
        AlertPolicy.from_json('{"displayNam": "A"}', ignore_unknown_fields=False)


def test_every_objective_has_an_alert_for_its_burn_rate() -> None:
    """Under the id that the objective's file name gives it."""
    [policy] = [parse(path) for path in FILES if path.name == "slo_burn.json"]
    filters = [condition.condition_threshold.filter for condition in policy.conditions]
    ids = [re.findall(r"serviceLevelObjectives/(\w+)", text)[0] for text in filters]
    assert sorted(ids) == sorted(path.stem for path in FOLDER.glob("slos/*.json"))


def test_an_alert_on_log_lines_limits_its_notifications() -> None:
    """Cloud Monitoring refuses one that does not."""
    policies = [parse(path) for path in FOLDER.glob("alerts/*.json")]
    on_logs = [policy for policy in policies if policy.conditions[0].condition_matched_log.filter]
    assert len(on_logs) == 2
    assert all(policy.alert_strategy.notification_rate_limit.period for policy in on_logs)


def test_the_filters_name_functions_that_exist() -> None:
    """A renamed function would drop out of an objective, and no one would be told."""
    text = "".join(path.read_text() for path in FILES)
    groups = re.findall(r'service_name=(?:one_of\()?((?:\\"\w+\\",?)+)', text)
    names = {name for group in groups for name in re.findall(r'\\"(\w+)\\"', group)}
    assert {"quote", "settle", "welcome"} <= names
    for name in names:
        assert (paths.FUNCTIONS / "boxoffice" / f"{name}.py").is_file(), name


def log_patterns() -> list[str]:
    """Return the patterns of the files that read log lines."""
    texts = [
        *(parse(path).filter for path in FOLDER.glob("log_metrics/*.json")),
        *(
            parse(path).conditions[0].condition_matched_log.filter
            for path in FOLDER.glob("alerts/*.json")
        ),
    ]
    return [match[1] for text in texts if (match := re.search(r'message=~"([^"]+)"', text))]


@pytest.mark.parametrize("source", LOG_LINES)
def test_a_pattern_matches_the_log_line_that_the_functions_write(source: str) -> None:
    """The line is still written, and a file reads it."""
    code = "".join(path.read_text() for path in paths.FUNCTIONS.glob("*/*.py"))
    assert source in code
    assert any(re.search(pattern, LOG_LINES[source]) for pattern in log_patterns())


def test_an_order_that_a_stage_skips_is_not_counted() -> None:
    [metric] = [parse(path) for path in FOLDER.glob("log_metrics/*.json")]
    pattern = re.search(r'message=~"([^"]+)"', metric.filter)
    assert pattern
    assert not re.search(pattern[1], "Order 1 is ticketed already; skipped")
    assert not re.search(pattern[1], "Order 1 is charging")
