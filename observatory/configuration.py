"""Read the configuration for the observed app, the JSON file given with ``--config``.

``{"promote": [{"column", "attribute", "key", "description", "trace_description", "role"}],
"examples": [{"question", "sql"}], "final_states": {STATE: "good", "warn" or "bad"},
"outcomes": [ATTRIBUTE]}``. All four are optional, as are ``role`` and ``trace_description``, which
defaults to the description.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from observatory.compare.digest.facts import ATTRIBUTE_PREFIX, keys_of_attributes, span_facts
from observatory.compare.filter import KEYWORDS, RESERVED_KEYS, WAIT_PREFIX
from observatory.journey.conventions import NO_CONVENTIONS, Conventions
from observatory.schemas.ask import Example
from observatory.schemas.comparison import DiffTrace
from observatory.schemas.journey import Journey, Tone
from observatory.schemas.traces import TraceLine
from observatory.store.promotions import NO_PROMOTIONS, Promotion, Promotions, Role
from observatory.store.rows import SPANS
from observatory.store.views import views_of

COLUMN = re.compile(r"[a-z][a-z0-9_]{0,62}")
KEY = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
ROLES: tuple[Role, ...] = get_args(Role)
TONES: tuple[Tone, ...] = get_args(Tone)
# The suffix of a role's column, by which the explorer and the terminal recognise it.
SUFFIXES: dict[Role | None, str] = {"subject": "_id", "state": "_state"}
# Columns that digests add to spans.
_DIGEST_COLUMNS = {"trace", "span", "parent", "began", "ended", "received", "subject", "state"}
# Names already used in the tables, the views or the JSON responses.
RESERVED_COLUMNS = frozenset(
    {
        *SPANS.names,
        "received_unix_nano",
        *(column for view in views_of(NO_PROMOTIONS) for column in view.columns),
        *(name for schema in (TraceLine, Journey, DiffTrace) for name in schema.__required_keys__),
        *_DIGEST_COLUMNS,
    }
)


class BadConfiguration(Exception):
    """The configuration is invalid; the message names the file, the entry and a hint."""


@dataclass(frozen=True)
class Configuration:
    """The promoted attributes, example queries and conventions of an app; empty by default."""

    promotions: Promotions = NO_PROMOTIONS
    examples: tuple[Example, ...] = ()
    conventions: Conventions = NO_CONVENTIONS


def read_configuration(path: Path) -> Configuration:
    """Read the configuration file at ``path``.

    Raises:
        BadConfiguration: the file cannot be read, or an entry is invalid.
    """
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise BadConfiguration(f"{path} is not JSON: {error}.") from error
    try:
        _check_names(
            document, {"promote", "examples", "final_states", "outcomes"}, "the configuration"
        )
        promoted = tuple(
            _promotion(entry, f"promote[{index}]")
            for index, entry in enumerate(_list(document, "promote"))
        )
        _check_unique(promoted)
        examples = tuple(
            _example(entry, f"examples[{index}]")
            for index, entry in enumerate(_list(document, "examples"))
        )
        conventions = Conventions(_final_states(document), _outcomes(document))
    except ValueError as error:
        raise BadConfiguration(f"{path}: {error}") from error
    return Configuration(Promotions(promoted), examples, conventions)


def _final_states(document: Mapping[str, Any]) -> dict[str, Tone]:
    states = document.get("final_states", {})
    if not isinstance(states, dict):
        raise ValueError(f"final_states is {states!r}: it must be an object.")
    for state, tone in states.items():
        if tone not in TONES:
            raise ValueError(
                f"final_states: {state} is {tone!r}: it must be {', '.join(TONES[:-1])} or "
                f"{TONES[-1]}."
            )
    return states


def _outcomes(document: Mapping[str, Any]) -> tuple[str, ...]:
    outcomes = _list(document, "outcomes")
    for index, attribute in enumerate(outcomes):
        if not isinstance(attribute, str) or not attribute:
            raise ValueError(
                f"outcomes[{index}] is {attribute!r}: it must be the key of an attribute."
            )
    return tuple(outcomes)


def _list(document: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = document.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f"{name} is {value!r}: it must be a list.")
    return value


def _promotion(entry: Any, place: str) -> Promotion:
    known = {"column", "attribute", "key", "description", "trace_description", "role"}
    _check_names(entry, known, place)
    column, attribute, key = (_text(entry, name, place) for name in ("column", "attribute", "key"))
    description = _text(entry, "description", place)
    trace_description = (
        _text(entry, "trace_description", place) if "trace_description" in entry else description
    )
    if COLUMN.fullmatch(column) is None:
        raise ValueError(
            f"{place}: {column!r} is not a column name: use a-z, 0-9 and _, "
            "beginning with a letter."
        )
    if column in RESERVED_COLUMNS:
        raise ValueError(f"{place}: the column {column} already exists: choose another name.")
    if KEY.fullmatch(key) is None:
        raise ValueError(
            f"{place}: {key!r} is not a filter key: use a-z, 0-9, _, . and -, "
            "beginning with a letter."
        )
    taken = RESERVED_KEYS | KEYWORDS | span_facts(NO_PROMOTIONS).keys()
    if key in taken or key.startswith((WAIT_PREFIX, ATTRIBUTE_PREFIX)):
        raise ValueError(f"{place}: the filter key {key} already exists: choose another one.")
    if attribute in keys_of_attributes(NO_PROMOTIONS):
        raise ValueError(f"{place}: {attribute} already has a column: remove the entry.")
    role = entry.get("role")
    if role is not None and role not in ROLES:
        raise ValueError(f"{place}: role is {role!r}: it must be {' or '.join(ROLES)}, or absent.")
    suffix = SUFFIXES.get(role)
    if suffix is not None and not column.endswith(suffix):
        raise ValueError(
            f"{place}: {column} has the role {role}: its name must end in {suffix}, "
            "by which the explorer recognises it."
        )
    return Promotion(column, attribute, key, description, trace_description, role)


def _example(entry: Any, place: str) -> Example:
    _check_names(entry, {"question", "sql"}, place)
    return {"question": _text(entry, "question", place), "sql": _text(entry, "sql", place)}


def _check_unique(promoted: Sequence[Promotion]) -> None:
    for name in ("column", "attribute", "key", "role"):
        values = [value for each in promoted if (value := getattr(each, name)) is not None]
        for value in values:
            if values.count(value) > 1:
                raise ValueError(f"promote: the {name} {value} occurs twice: remove one of them.")


def _check_names(entry: Any, known: set[str], place: str) -> None:
    if not isinstance(entry, dict):
        raise ValueError(f"{place} is {entry!r}: it must be an object.")
    for name in entry.keys() - known:
        raise ValueError(f"{place}: {name!r} is unknown: use {', '.join(sorted(known))}.")


def _text(entry: Mapping[str, Any], name: str, place: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{place}: {name} is {value!r}: it must be a non-empty string.")
    return value
