"""A decision becomes a span, in the trace of the write that it is about.

The parent is the context in the attempted document's ``_trace``. Without one the span is a root and
says so (``throughline.root=rules``), linked to the write that it is likely about: the one that the
document carries or that was last seen at its path, else the same user's latest.

The kind is INTERNAL: the decision is a step within the database's handling of a request, not the
handling, whose beginning and end nobody reports. How long it took isn't reported either, so the
span begins and ends at the moment that the emulator gives.

Ids come from the emulator's own id of the evaluation: heard again, it is the same span.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from observatory.rules_monitor import carrier
from observatory.rules_monitor.carrier import Context, SpanAt
from observatory.rules_monitor.evaluation import READS, Evaluation, within
from observatory.rules_monitor.explain import allows_about, line_that_said_no
from observatory.rules_monitor.merging import Decision
from observatory.rules_monitor.typed import UNDEFINED

NAME_MAX_CHARS = 64
PATH_MAX_CHARS = 512
SOURCE_MAX_CHARS = 200
LINES_AROUND = 3
REMEMBERED_WRITES = 2_000
# What one user does within so short a time is likely about the same thing.
SAME_USER_SECONDS = 10

DecidedBy = Literal["expression", "statement", "nothing"]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Ground:
    """What a decision rests on.

    ``lines`` are the deciding lines of the rules: of the innermost expressions that said no
    (``by`` is "expression"), or of the ``allow`` statements where no more is known
    ("statement"); there are none when no ``allow`` was even tried ("nothing").
    """

    by: DecidedBy
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Link:
    """A write that a decision is likely about, and what says so."""

    span: SpanAt
    by: Literal["path", "uid and time"]


class Writes:
    """The latest writes that carried a context, to link what carries none."""

    def __init__(self) -> None:
        self._by_path: OrderedDict[str, SpanAt] = OrderedDict()
        self._by_uid: OrderedDict[str, tuple[SpanAt, int]] = OrderedDict()

    def remember(self, evaluation: Evaluation, span: SpanAt) -> None:
        """Keep that this write was made in ``span``."""
        _put(self._by_path, evaluation.path, span)
        if evaluation.uid is not None:
            _put(self._by_uid, evaluation.uid, (span, evaluation.time_unix_nano))

    def link_for(self, evaluation: Evaluation) -> Link | None:
        """The write that ``evaluation`` is likely about."""
        stored = carrier.read(within(evaluation.resource, "data", carrier.TRACE_FIELD)).span
        span = stored or self._by_path.get(evaluation.path)
        if span is not None:
            return Link(span, "path")
        span, at_unix_nano = self._by_uid.get(evaluation.uid or "", (None, 0))
        since = (evaluation.time_unix_nano - at_unix_nano) / 1e9
        if span is not None and 0 <= since <= SAME_USER_SECONDS:
            return Link(span, "uid and time")
        return None


def _put(kept: OrderedDict[str, Value], key: str, value: Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > REMEMBERED_WRITES:
        kept.popitem(last=False)


class Spans:
    """Makes spans of decisions.

    Args:
        rules_path: where the rules lie in the project, for ``code.file.path``.
        resources: the attribute that a document's id is put in, by its collection.
        allowed_reads: whether reads that were allowed are worth a span.
    """

    def __init__(
        self, rules_path: str, resources: Mapping[str, str], *, allowed_reads: bool = False
    ) -> None:
        self._rules_path = rules_path
        self._file = rules_path.rpartition("/")[2]
        self._resources = resources
        self._allowed_reads = allowed_reads
        self._writes = Writes()

    def span_of(self, decision: Decision) -> Span | None:
        """The decision's span; None when it isn't worth one."""
        evaluation = decision.evaluation
        if evaluation.outcome == "allow" and evaluation.method in READS and not self._allowed_reads:
            return None
        context = context_of(evaluation)
        ground = ground_of(evaluation)
        id_of = f"{evaluation.project}/{evaluation.request_id}"
        span = Span(
            trace_id=context.span.trace_id if context.span else _id("trace", id_of, 16),
            span_id=_id("span", id_of, 8),
            parent_span_id=context.span.span_id if context.span else b"",
            name=_name(evaluation),
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=evaluation.time_unix_nano,
            end_time_unix_nano=evaluation.time_unix_nano,
            attributes=_key_values(self._attributes(decision, context, ground)),
        )
        if context.span is not None:
            self._writes.remember(evaluation, context.span)
        elif link := self._writes.link_for(evaluation):
            span.links.append(
                Span.Link(
                    trace_id=link.span.trace_id,
                    span_id=link.span.span_id,
                    attributes=_key_values({"throughline.link.by": link.by}),
                )
            )
        if evaluation.outcome != "allow":
            message = self._said(evaluation, ground)
            span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=message))
        return span

    def _attributes(
        self, decision: Decision, context: Context, ground: Ground
    ) -> dict[str, str | int | list[int] | None]:
        evaluation, lines = decision.evaluation, ground.lines
        named, document_id = self._resources.get(evaluation.collection), evaluation.document_id
        return {
            "throughline.hop": "rules",
            "throughline.carrier": "document-field",
            "throughline.context": context.state,
            "throughline.context.reason": context.reason,
            "throughline.root": None if context.span else "rules",
            "db.system.name": "gcp.firestore",
            "db.namespace": evaluation.database,
            "db.collection.name": _printable(evaluation.collection, NAME_MAX_CHARS),
            "db.operation.name": _printable(evaluation.method, NAME_MAX_CHARS),
            "throughline.rules.path": _printable(evaluation.path, PATH_MAX_CHARS),
            "throughline.rules.outcome": evaluation.outcome,
            "throughline.rules.evaluations": decision.evaluations,
            "throughline.rules.decided_by": ground.by,
            "throughline.rules.lines": list(lines) or None,
            "throughline.rules.source": source(evaluation.rules, lines[0]) if lines else None,
            "throughline.rules.excerpt": excerpt(evaluation.rules, lines) if lines else None,
            "code.file.path": self._rules_path,
            "code.line.number": lines[0] if lines else None,
            "enduser.pseudo.id": _pseudonym(evaluation),
            **_token(evaluation),
            **({named: _printable(document_id, NAME_MAX_CHARS)} if named and document_id else {}),
        }

    def _said(self, evaluation: Evaluation, ground: Ground) -> str:
        method = _printable(evaluation.method, NAME_MAX_CHARS)
        collection = _printable(evaluation.collection, NAME_MAX_CHARS)
        if not ground.lines:
            return f"denied by {self._file}: no `allow` covers {method} in {collection}"
        said = " and ".join(_quoted(evaluation.rules, line) for line in ground.lines)
        if ground.by == "statement":
            said = f"the rule at {said} (which part of it said no is not known)"
        failed = ", which could not be evaluated" if evaluation.outcome == "error" else ""
        joint = " " if ground.by == "expression" else ", "
        return f"denied by {self._file}{joint}{said}{failed}"


def context_of(evaluation: Evaluation) -> Context:
    """The context that the write itself carries.

    An update's document has all its fields, those that the update left alone too; so a ``_trace``
    that was there before is not this write's.
    """
    if evaluation.method in READS:
        return carrier.ABSENT
    document = within(evaluation.request, "resource")
    if document is UNDEFINED:
        reason = "the rules decided without the document, so the emulator doesn't show it"
        return Context("absent", reason=reason)
    attempted = within(document, "data", carrier.TRACE_FIELD)
    if attempted is UNDEFINED:
        return carrier.ABSENT
    stored = within(evaluation.resource, "data", carrier.TRACE_FIELD)
    if attempted == stored:
        return Context("absent", reason="_trace is that of the write before")
    return carrier.read(attempted)


def ground_of(evaluation: Evaluation) -> Ground:
    """What the decision rests on."""
    allows = allows_about(evaluation)
    if evaluation.outcome == "allow":
        lines = tuple(line for line, allowed in allows if allowed)
        return Ground("statement", lines) if lines else Ground("nothing")
    if not allows:
        return Ground("nothing")
    statements = tuple(line for line, _ in allows)
    expressions = [line_that_said_no(evaluation, line) for line in statements]
    if None in expressions:
        return Ground("statement", statements)
    return Ground("expression", tuple(dict.fromkeys(line for line in expressions if line)))


def source(rules: str, line: int) -> str:
    """The text of a line, without what is around it; empty when there is no such line."""
    lines = rules.split("\n")
    return _shown(lines[line - 1]).strip() if line <= len(lines) else ""


def excerpt(rules: str, marked: tuple[int, ...]) -> str:
    """The lines around the first one marked, each with its number, a ``>`` before those marked."""
    lines = rules.split("\n")
    first = max(1, marked[0] - LINES_AROUND)
    last = min(len(lines), marked[0] + LINES_AROUND)
    width = len(str(last))
    shown = textwrap.dedent("\n".join(map(_shown, lines[first - 1 : last]))).split("\n")
    return "\n".join(
        f"{'>' if line in marked else ' '} {line:>{width}}  {text}".rstrip()
        for line, text in zip(range(first, last + 1), shown, strict=False)
    )


def _quoted(rules: str, line: int) -> str:
    text = source(rules, line)
    return f"line {line}: `{text}`" if text else f"line {line}"


def _shown(line: str) -> str:
    return _printable(line.expandtabs(2).rstrip(), SOURCE_MAX_CHARS)


def _name(evaluation: Evaluation) -> str:
    said = "allowed" if evaluation.outcome == "allow" else "denied"
    method = _printable(evaluation.method, NAME_MAX_CHARS)
    return f"{method} {_printable(evaluation.collection, NAME_MAX_CHARS)} {said}"


def _pseudonym(evaluation: Evaluation) -> str | None:
    if not evaluation.uid or not evaluation.project:
        return None
    return hashlib.sha256((evaluation.project + evaluation.uid).encode()).hexdigest()[:16]


def _token(evaluation: Evaluation) -> dict[str, int]:
    """How old the token is: what it says of its user was true when it was issued."""
    issued_at = evaluation.token_issued_at
    if issued_at is None:
        return {}
    return {
        "throughline.token.issued_at": issued_at,
        "throughline.token.age_seconds": evaluation.time_unix_nano // 10**9 - issued_at,
    }


def _id(kind: str, id_of: str, size: int) -> bytes:
    digest = hashlib.sha256(f"{kind}/{id_of}".encode("utf-8", "surrogatepass")).digest()[:size]
    return digest if any(digest) else b"\x01" * size


def _printable(text: str, most: int) -> str:
    clean = "".join(character if character.isprintable() else "?" for character in text[:most])
    return clean if len(text) <= most else clean[:-1] + "…"


def _key_values(attributes: Mapping[str, str | int | list[int] | None]) -> list[KeyValue]:
    return [
        KeyValue(key=key, value=_any_value(value))
        for key, value in attributes.items()
        if value is not None
    ]


def _any_value(value: str | int | list[int]) -> AnyValue:
    match value:
        case str():
            return AnyValue(string_value=value)
        case int():
            return AnyValue(int_value=value)
    return AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=item) for item in value]))
