"""What a tool is: a name, a description, arguments and a function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from observatory.client import Observatory

FILTER_SYNTAX = (
    "A filter selects traces with at least one span that matches: words, or comparisons such as "
    '`service = checkout and duration > 2 s`, `http.route = "/pay" and (errors > 0 or '
    "attempts >= 3)`, `wait.worker > 500 ms`, `missing_hop exists`. Keys: duration, "
    "span.duration, name, service, hop, kind, status, root (the name of the first span), error, "
    "error.message (with # for ids and numbers), trace, spans, errors, orphans, uncovered, "
    "attempts, wait.SERVICE, missing_hop, and any attribute of a span or resource by its own name. "
    "Operators: = != > >= < <= ~ (contains) !~ exists; and, or, not, parentheses."
)

Filter = Annotated[str, Field(description=FILTER_SYNTAX)]
LastSeconds = Annotated[
    float | None,
    Field(description="Only the last this many seconds; everything stored by default", ge=1),
]
TraceName = Annotated[
    str,
    Field(
        description="A trace id of 32 hexadecimal digits, the beginning of one, or the trace's "
        "subject, such as an order id",
        min_length=1,
        max_length=200,
    ),
]


class Arguments(BaseModel):
    """The arguments of a tool. An unknown name is an error."""

    model_config = ConfigDict(extra="forbid")


class BadArguments(Exception):
    """Arguments that a tool does not accept; the message says which would be valid."""


@dataclass(frozen=True)
class Call:
    """What a tool works with.

    Args:
        observatory: a client for the API.
        base_url: the explorer's address, for links.
    """

    observatory: Observatory
    base_url: str

    def trace_id(self, name: str) -> str:
        """Return the id of the trace with this id, prefix or subject.

        Raises:
            ObservatoryError: no trace matches, or several do.
        """
        is_id = len(name) == 32 and all(digit in "0123456789abcdef" for digit in name.lower())
        return name.lower() if is_id else self.observatory.find_id(name)


@dataclass(frozen=True)
class Tool:
    """A tool.

    Args:
        name: its name.
        description: tells an assistant when to use it and what it returns.
        arguments: the model of its arguments.
        run: returns the answer's text; raises ``ObservatoryError`` for what cannot be answered.
    """

    name: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Call, Any], str]

    def parse(self, arguments: Mapping[str, Any]) -> Arguments:
        """Validate the arguments of a call.

        Raises:
            BadArguments: they are invalid; the message names the first problem.
        """
        try:
            return self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            raise BadArguments(self._problem(error)) from error

    def _problem(self, error: ValidationError) -> str:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "the arguments"
        known = self.arguments.model_fields
        if first["type"] == "extra_forbidden":
            names = f"known are {', '.join(known)}" if known else "it has none"
            return f"{self.name} has no argument {name!r}: {names}."
        if first["type"] == "missing":
            return f"{self.name} needs the argument {name}: {known[name].description}."
        return f"{self.name}: {name} is {first['input']!r:.200}: {first['msg']}."
