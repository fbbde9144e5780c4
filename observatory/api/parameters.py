"""The query parameters of the API: models that validate and document them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from observatory.api.responses import TRACE_ID_TEXT
from observatory.compare.parsing import parse
from observatory.compare.selection import Selection, now_ms

# In the year 2262: the last millisecond whose nanoseconds since 1970 fit into 64 bits.
MS_MAX = 9_223_372_036_854
TRACE_ID_PATTERN = "[0-9a-fA-F]{32}"


def _digits(value: Any) -> Any:
    """Reject ``1_000``, ``+5`` and the like, which ``int`` would accept."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise AssertionError("not a whole number")
    return value


def trace_id_in(text: str) -> str:
    """Return a trace id in lower case.

    Raises:
        ValueError: ``text`` is not a trace id.
    """
    trace_id = text.lower()
    if TRACE_ID_TEXT.fullmatch(trace_id) is None:
        raise ValueError(f"{text!r} is not a trace id: it must have 32 hexadecimal digits.")
    return trace_id


def _documented_pattern(pattern: str) -> dict[str, Any]:
    """Document a pattern without checking it: a validator does, with a better message."""
    return {"pattern": f"^(?:{pattern})$"}


def optional(*, pattern: str | None = None, alias: str | None = None, description: str) -> Any:
    """Return the field of an optional parameter, which is None when absent.

    The default is not documented, because a URL cannot contain null. ``pattern`` is documented and
    not checked.
    """

    def extra(schema: dict[str, Any]) -> None:
        schema.pop("default", None)
        if pattern is not None:
            schema.update(_documented_pattern(f"(?:{pattern})?"))

    return Field(default=None, alias=alias, description=description, json_schema_extra=extra)


WholeNumber = Annotated[int, BeforeValidator(_digits)]
# Milliseconds or seconds, with a fraction.
Amount = Annotated[float, Field(ge=0, le=MS_MAX)]
TraceId = Annotated[
    str,
    AfterValidator(trace_id_in),
    Field(json_schema_extra=_documented_pattern(TRACE_ID_PATTERN)),
]
TraceIdInPath = Annotated[TraceId, Path(description="The trace's id, 32 hexadecimal digits")]


def matching(pattern: re.Pattern[str], message: str) -> Any:
    """Return an annotation for text that must match ``pattern``.

    The error for other text is ``NAME is VALUE: message``.
    """

    def check(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError(f"is {text!r}: {message}")
        return text

    return AfterValidator(check)


class Query(BaseModel):
    """Query parameters. An empty value counts as absent; an unknown name is an error."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, query: Any) -> Any:
        if not isinstance(query, Mapping):
            return query
        return {name: value for name, value in query.items() if value not in ("", [""])}


class TimeRange(Query):
    """A range of time."""

    from_: Amount = optional(alias="from", description="At or after this, in Unix milliseconds")
    to: Amount = optional(description="Before this, in Unix milliseconds")
    last: Amount = optional(description="The last this many seconds, instead of from and to")

    @model_validator(mode="after")
    def _one_range(self) -> "TimeRange":
        if self.last is not None and (self.from_ is not None or self.to is not None):
            raise ValueError("last excludes from and to: give either last, or from and to.")
        return self

    def milliseconds(self) -> tuple[float | None, float | None]:
        """Return the start and the end in Unix milliseconds; None where the range is open."""
        if self.last is not None:
            return now_ms() - self.last * 1000, self.to
        return self.from_, self.to


class SelectionQuery(TimeRange):
    """A selection of traces, by filter and time range.

    The time range applies to the start of a trace, unless an operation says otherwise.
    """

    q: str = Field(
        default="",
        description="A filter: words, or comparisons such as `service = charge and duration > 2 s`",
    )

    def selection(self) -> Selection:
        """Return the selection.

        Raises:
            BadFilter: ``q`` is not a valid filter.
        """
        return Selection(parse(self.q), *self.milliseconds())


class NoQuery(Query):
    """No parameters."""
