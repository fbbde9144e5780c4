"""``./scripts/trace export``, ``import`` and ``clear``."""

import argparse
import gzip
import sys
import zlib
from pathlib import Path
from typing import Any

from observatory.client import Observatory, Refused
from observatory.import_export.document import document_of
from observatory.import_export.pieces import pieces_of
from observatory.import_export.reading import BadFile
from observatory.receive.surrogates import repairs
from observatory.schemas.import_export import ImportResult
from observatory.schemas.storage import Cleared
from observatory.terminal.printing import DOES_NOT_HOLD, HOLDS, print_json
from observatory.text_format import count_text

GZIP_MAGIC = b"\x1f\x8b"
TRACE_IDS_SHOWN = 20


def add_to(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add the commands to the parser's ``commands``."""
    export = commands.add_parser(
        "export",
        parents=[shared],
        help="print traces as OTLP/JSON, which import reads",
        description="Print traces as OTLP/JSON on stdout: ./scripts/trace export ID > trace.json. "
        "Import it with ./scripts/trace import, or upload it to Jaeger 1.55 or later, which "
        "ignores the logs.",
    )
    export.add_argument(
        "id",
        nargs="*",
        help="a trace id or a prefix of one, or the trace's subject, such as an order id",
    )
    export.add_argument("--all", action="store_true", help="export everything that is stored")
    export.add_argument(
        "--filter", metavar="Q", help='export the traces that match, such as "state = declined"'
    )
    export.set_defaults(run=_export, usage_error=export.error)

    import_ = commands.add_parser(
        "import",
        parents=[shared],
        help="store a file of OTLP/JSON (one document, or one per line) or Jaeger's JSON",
    )
    import_.add_argument("file", metavar="FILE", help="may be gzipped; - for stdin")
    import_.set_defaults(run=_import)

    clear = commands.add_parser("clear", parents=[shared], help="delete everything that is stored")
    clear.add_argument("--yes", action="store_true", help="confirm the deletion")
    clear.set_defaults(run=_clear, usage_error=clear.error)


def _export(observatory: Observatory, options: argparse.Namespace) -> int:
    if bool(options.id) + options.all + (options.filter is not None) != 1:
        options.usage_error("give trace ids, --all or --filter Q")
    ids = [observatory.find_id(name) for name in options.id]
    for piece in observatory.export(ids, options.filter):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
    return HOLDS


def _import(observatory: Observatory, options: argparse.Namespace) -> int:
    document, repaired = _document(options.file)
    total = ImportResult(spans=0, logs=0, metrics=0, rejected=0, reason="", trace_ids=[])
    ids: dict[str, None] = {}
    for piece in pieces_of(document):
        stored = observatory.import_document(piece)
        total["spans"] += stored["spans"]
        total["logs"] += stored["logs"]
        total["metrics"] += stored["metrics"]
        total["rejected"] += stored["rejected"]
        total["reason"] = stored["reason"] or total["reason"]
        ids |= dict.fromkeys(stored["trace_ids"])
    total["reason"] = " ".join(filter(None, (repairs(repaired), total["reason"])))
    total["trace_ids"] = list(ids)[:TRACE_IDS_SHOWN]
    if options.json:
        print_json(total)
    else:
        print(f"Stored {_counts(total)}.")
        for trace_id in total["trace_ids"]:
            print(f"  {trace_id}")
    if total["reason"] and not total["rejected"]:
        print(f"trace: {total['reason']}", file=sys.stderr)
    if total["rejected"]:
        print(f"trace: {total['rejected']} rejected. {total['reason']}", file=sys.stderr)
        return DOES_NOT_HOLD
    return HOLDS


def _document(file: str) -> tuple[dict[str, Any], int]:
    try:
        body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        if body.startswith(GZIP_MAGIC):
            body = gzip.decompress(body)
        document, repaired = document_of(body)
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror or error}.") from error
    except (EOFError, zlib.error) as error:
        raise Refused(f"{file} cannot be unpacked: {error}.") from error
    except BadFile as error:
        raise Refused(f"{file} cannot be read. {error}") from error
    if not isinstance(document, dict):
        raise Refused(f"{file} is neither OTLP/JSON nor Jaeger's JSON: it is not an object.")
    return document, repaired


def _clear(observatory: Observatory, options: argparse.Namespace) -> int:
    if not options.yes:
        options.usage_error("this deletes every stored span, log and metric: confirm with --yes")
    deleted = observatory.clear()
    if options.json:
        print_json(deleted)
    else:
        print(f"Deleted {_counts(deleted)}.")
    return HOLDS


def _counts(counts: ImportResult | Cleared) -> str:
    return (
        f"{count_text(counts['spans'], 'span')}, {count_text(counts['logs'], 'log')} and "
        f"{count_text(counts['metrics'], 'metric point')}"
    )
