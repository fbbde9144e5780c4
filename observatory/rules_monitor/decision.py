"""Turn a decision into a span in the trace of the write that it is about.

The parent is the context in the attempted document's ``_trace``. Without one the span is a declared
root (``throughline.root=rules``) with a link to the write that it is probably about: the one whose
context is in the stored document, else the last one seen at its path, else the same user's latest.

The kind is INTERNAL, because the decision is one step of the database's handling of a request. The
emulator reports one time and no duration, so the span starts and ends at that time.

Ids derive from the emulator's id of the evaluation, so an evaluation that is received again gives
the same span.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from observatory.rules_monitor import carrier
from observatory.rules_monitor.carrier import Context, SpanRef
from observatory.rules_monitor.evaluation import READS, Evaluation, within
from observatory.rules_monitor.explain import denying_line
from observatory.rules_monitor.matching import allows_about
from observatory.rules_monitor.merging import Decision
from observatory.rules_monitor.typed import UNDEFINED

NAME_MAX_CHARS = 64
PATH_MAX_CHARS = 512
SOURCE_MAX_CHARS = 200
LINES_AROUND = 3
REMEMBERED_WRITES = 2_000
# Requests of one user within this time probably belong together.
SAME_USER_SECONDS = 10

DecidedBy = Literal["expression", "statement", "nothing"]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Basis:
    """What a decision rests on: lines of the rules.

    ``lines`` holds for each ``allow`` about the access the innermost expression that was false or
    failed. ``statements`` are those of the lines that are only an ``allow``, because nothing more
    is known, or because it allowed the access.
    """

    lines: tuple[int, ...] = ()
    statements: frozenset[int] = frozenset()

    @property
    def by(self) -> DecidedBy:
        """The kind of the lines; "nothing" when no ``allow`` covers the access."""
        if not self.lines:
            return "nothing"
        return "statement" if self.statements else "expression"


@dataclass(frozen=True)
class Link:
    """A write that a decision is probably about, and what the two have in common."""

    span: SpanRef
    by: Literal["path", "uid and time"]


class Writes:
    """The latest writes that carried a context, as link targets for requests that carry none."""

    def __init__(self) -> None:
        self._by_path: OrderedDict[str, SpanRef] = OrderedDict()
        self._by_uid: OrderedDict[str, tuple[SpanRef, int]] = OrderedDict()

    def remember(self, evaluation: Evaluation, span: SpanRef) -> None:
        """Record that a write was made in ``span``."""
        _put(self._by_path, evaluation.path, span)
        if evaluation.uid is not None:
            _put(self._by_uid, evaluation.uid, (span, evaluation.time_unix_nano))

    def link_for(self, evaluation: Evaluation) -> Link | None:
        """Return the write that ``evaluation`` is probably about."""
        stored = carrier.read(within(evaluation.resource, "data", carrier.TRACE_FIELD)).span
        span = stored or self._by_path.get(evaluation.path)
        if span is not None:
            return Link(span, "path")
        span, at_unix_nano = self._by_uid.get(evaluation.uid or "", (None, 0))
        age_seconds = (evaluation.time_unix_nano - at_unix_nano) / 1e9
        if span is not None and 0 <= age_seconds <= SAME_USER_SECONDS:
            return Link(span, "uid and time")
        return None


def _put(latest: OrderedDict[str, Value], key: str, value: Value) -> None:
    latest[key] = value
    latest.move_to_end(key)
    if len(latest) > REMEMBERED_WRITES:
        latest.popitem(last=False)


class Spans:
    """Builds spans from decisions.

    Args:
        rules_path: the path of the rules file in the project, for ``code.file.path``.
        resources: by collection, the attribute that takes the ids of its documents.
        masked: collections whose document ids are not put on spans, because they name people.
        allowed_reads: whether allowed reads become spans too.
    """

    def __init__(
        self,
        rules_path: str,
        resources: Mapping[str, str],
        *,
        masked: Collection[str] = (),
        allowed_reads: bool = False,
    ) -> None:
        self._rules_path = rules_path
        self._file = rules_path.rpartition("/")[2]
        self._resources = resources
        self._masked = frozenset(masked)
        self._allowed_reads = allowed_reads
        self._writes = Writes()

    def span_of(self, decision: Decision) -> Span | None:
        """Return the span of a decision; None for an allowed read, unless those were requested."""
        evaluation = decision.evaluation
        if evaluation.outcome == "allow" and evaluation.method in READS and not self._allowed_reads:
            return None
        context = context_of(evaluation)
        basis = basis_of(evaluation)
        evaluation_id = f"{evaluation.project}/{evaluation.request_id}"
        span = Span(
            trace_id=context.span.trace_id if context.span else _id("trace", evaluation_id, 16),
            span_id=_id("span", evaluation_id, 8),
            parent_span_id=context.span.span_id if context.span else b"",
            name=_name(evaluation),
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=evaluation.time_unix_nano,
            end_time_unix_nano=evaluation.time_unix_nano,
            attributes=_key_values(self._attributes(decision, context, basis)),
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
            message = self._denial(evaluation, basis)
            span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=message))
        return span

    def _attributes(
        self, decision: Decision, context: Context, basis: Basis
    ) -> dict[str, str | int | list[int] | None]:
        evaluation, lines = decision.evaluation, basis.lines
        id_attribute = self._resources.get(evaluation.collection)
        path = _masked_path(evaluation, self._masked)
        *_, document_id = path.split("/") if evaluation.document_id else (None,)
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
            "throughline.rules.path": _printable(path, PATH_MAX_CHARS),
            "throughline.rules.outcome": evaluation.outcome,
            "throughline.rules.evaluations": decision.evaluations,
            "throughline.rules.decided_by": basis.by,
            "throughline.rules.lines": list(lines) or None,
            "throughline.rules.source": source(evaluation.rules, lines[0]) if lines else None,
            "throughline.rules.excerpt": excerpt(evaluation.rules, lines) if lines else None,
            "code.file.path": self._rules_path,
            "code.line.number": lines[0] if lines else None,
            "enduser.pseudo.id": _pseudonym(evaluation),
            **_token(evaluation),
            **(
                {id_attribute: _printable(document_id, NAME_MAX_CHARS)}
                if id_attribute and document_id
                else {}
            ),
        }

    def _denial(self, evaluation: Evaluation, basis: Basis) -> str:
        method = _printable(evaluation.method, NAME_MAX_CHARS)
        collection = _printable(evaluation.collection, NAME_MAX_CHARS)
        if not basis.lines:
            return f"denied by {self._file}: no `allow` covers {method} in {collection}"
        expressions = [line for line in basis.lines if line not in basis.statements]
        statements = [line for line in basis.lines if line in basis.statements]
        parts = []
        if expressions:
            parts.append(
                " " + " and ".join(_quoted(evaluation.rules, line) for line in expressions)
            )
        if statements:
            quoted = " and ".join(_quoted(evaluation.rules, line) for line in statements)
            parts.append(f", the rule at {quoted} (the denying part is unknown)")
        failed = ", which could not be evaluated" if evaluation.outcome == "error" else ""
        return f"denied by {self._file}{''.join(parts)}{failed}"


def context_of(evaluation: Evaluation) -> Context:
    """Return the context that the write itself carries.

    The document of an update has all its fields, also those that the update does not change. So an
    unchanged ``_trace`` belongs to the previous write.
    """
    if evaluation.method in READS:
        return carrier.ABSENT
    document = within(evaluation.request, "resource")
    if document is UNDEFINED:
        reason = "the rules decided without the document, so the emulator does not report it"
        return Context("absent", reason=reason)
    attempted = within(document, "data", carrier.TRACE_FIELD)
    if attempted is UNDEFINED:
        return carrier.ABSENT
    stored = within(evaluation.resource, "data", carrier.TRACE_FIELD)
    if attempted == stored:
        return Context("absent", reason="_trace is unchanged since the previous write")
    return carrier.read(attempted)


def basis_of(evaluation: Evaluation) -> Basis:
    """Return the lines of the rules that decided."""
    allows = allows_about(evaluation)
    if evaluation.outcome == "allow":
        lines = tuple(line for line, allowed in allows if allowed)
        return Basis(lines, frozenset(lines))
    denying = {line: denying_line(evaluation, line) for line, _ in allows}
    return Basis(
        tuple(dict.fromkeys(expression or line for line, expression in denying.items())),
        frozenset(line for line, expression in denying.items() if expression is None),
    )


def source(rules: str, line: int) -> str:
    """Return the text of a line without surrounding space; empty when there is no such line."""
    lines = rules.split("\n")
    return _cleaned(lines[line - 1]).strip() if line <= len(lines) else ""


def excerpt(rules: str, marked: tuple[int, ...]) -> str:
    """Return the numbered lines around the first marked one, with ``>`` before each marked line."""
    lines = rules.split("\n")
    first = max(1, marked[0] - LINES_AROUND)
    last = min(len(lines), marked[0] + LINES_AROUND)
    width = len(str(last))
    dedented = textwrap.dedent("\n".join(map(_cleaned, lines[first - 1 : last]))).split("\n")
    return "\n".join(
        f"{'>' if line in marked else ' '} {line:>{width}}  {text}".rstrip()
        for line, text in zip(range(first, last + 1), dedented, strict=False)
    )


def _quoted(rules: str, line: int) -> str:
    text = source(rules, line)
    return f"line {line}: `{text}`" if text else f"line {line}"


def _cleaned(line: str) -> str:
    return _printable(line.expandtabs(2).rstrip(), SOURCE_MAX_CHARS)


def _name(evaluation: Evaluation) -> str:
    outcome = "allowed" if evaluation.outcome == "allow" else "denied"
    method = _printable(evaluation.method, NAME_MAX_CHARS)
    return f"{method} {_printable(evaluation.collection, NAME_MAX_CHARS)} {outcome}"


def _pseudonym(evaluation: Evaluation) -> str | None:
    if not evaluation.uid or not evaluation.project:
        return None
    # An app sets the same value on its spans; this separate process cannot import its function.
    return hashlib.sha256((evaluation.project + evaluation.uid).encode()).hexdigest()[:16]


def _masked_path(evaluation: Evaluation, masked: Collection[str]) -> str:
    """Return the path without document ids that name a person.

    The requesting user's id becomes ``{uid}``, and other ids in ``masked`` collections ``{id}``.
    """
    ids = evaluation.path.split("/")
    for at in range(1, len(ids), 2):
        if evaluation.uid and ids[at] == evaluation.uid:
            ids[at] = "{uid}"
        elif ids[at - 1] in masked and ids[at] != "*":
            ids[at] = "{id}"
    return "/".join(ids)


def _token(evaluation: Evaluation) -> dict[str, int]:
    """Return the age of the ID token: its claims date from when it was issued."""
    issued_at = evaluation.token_issued_at
    if issued_at is None:
        return {}
    return {
        "throughline.token.issued_at": issued_at,
        "throughline.token.age_seconds": evaluation.time_unix_nano // 10**9 - issued_at,
    }


def _id(kind: str, evaluation_id: str, size: int) -> bytes:
    digest = hashlib.sha256(f"{kind}/{evaluation_id}".encode("utf-8", "surrogatepass")).digest()[
        :size
    ]
    return digest if any(digest) else b"\x01" * size


def _printable(text: str, max_chars: int) -> str:
    clean = "".join(character if character.isprintable() else "?" for character in text[:max_chars])
    return clean if len(text) <= max_chars else clean[:-1] + "…"


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
