"""The parameters of the API's queries: one model for each, which checks and documents them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from observatory.api.responses import TRACE_ID_TEXT
from observatory.compare.parsing import parse
from observatory.compare.selection import Selection, now_ms

# The year 2262, where nanoseconds since 1970 leave 64 bits.
MS_MAX = 9_223_372_036_854
TRACE_ID_PATTERN = "[0-9a-fA-F]{32}"


def _digits(value: Any) -> Any:
    """Refuse what ``int`` takes and a number in an address is not, such as ``1_000`` and ``+5``."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise AssertionError("not a whole number")
    return value


def trace_id_in(text: str) -> str:
    """Return a trace id in lower case.

    Raises:
        ValueError: ``text`` is none.
    """
    trace_id = text.lower()
    if TRACE_ID_TEXT.fullmatch(trace_id) is None:
        raise ValueError(f"{text!r} is no trace id: it has 32 hexadecimal digits.")
    return trace_id


def _documented_pattern(pattern: str) -> dict[str, Any]:
    """Document a pattern that a validator checks, with a better message than the pattern's."""
    return {"pattern": f"^(?:{pattern})$"}


def optional(*, pattern: str | None = None, alias: str | None = None, description: str) -> Any:
    """Return the field of a parameter that may be absent, and then is None.

    Its default, null, which no address can say, is not documented; ``pattern`` is only documented.
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
    """Return the annotation of a text that fits ``pattern``, else ``NAME is VALUE: message``."""

    def check(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError(f"is {text!r}: {message}")
        return text

    return AfterValidator(check)


class Query(BaseModel):
    """The parameters of a query. An empty one counts as absent, an unknown one is refused."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, query: Any) -> Any:
        if not isinstance(query, Mapping):
            return query
        return {name: value for name, value in query.items() if value not in ("", [""])}


class TimeRange(Query):
    """From when to when."""

    from_: Amount = optional(alias="from", description="At or after this, in Unix milliseconds")
    to: Amount = optional(description="Before this, in Unix milliseconds")
    last: Amount = optional(description="In the last so many seconds, instead of from and to")

    @model_validator(mode="after")
    def _one_range(self) -> "TimeRange":
        if self.last is not None and (self.from_ is not None or self.to is not None):
            raise ValueError("last stands instead of from and to: leave it out, or both of them.")
        return self

    def milliseconds(self) -> tuple[float | None, float | None]:
        """Return both ends in Unix milliseconds; None where it is open."""
        if self.last is not None:
            return now_ms() - self.last * 1000, self.to
        return self.from_, self.to


class SelectionQuery(TimeRange):
    """What narrows a question to some of the traces; the same wherever it can be asked.

    The range is about when a trace began, unless an operation says otherwise.
    """

    q: str = Field(
        default="",
        description="A filter: words, or comparisons such as `service = charge and duration > 2 s`",
    )

    def selection(self) -> Selection:
        """Return the selected traces.

        Raises:
            BadFilter: ``q`` can't be read.
        """
        return Selection(parse(self.q), *self.milliseconds())


class NoQuery(Query):
    """No parameters."""
