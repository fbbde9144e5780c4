"""The journal in front of the DuckDB file, and folding its requests into the file."""

import errno
import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from observatory.receive import folding as folding_module
from observatory.receive.folding import REQUEST_LIMIT_BYTES
from observatory.receive.intake import Intake
from observatory.receive.logs import logs_of
from observatory.receive.spans import spans_of
from observatory.store import Store
from observatory.store import journal as journal_module
from observatory.store.journal import Journal
from tests.unit.local_server import eventually
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import INTERNAL, Trace, purchase

READ_BYTES = 2**20
FIRST = "spans.duckdb.journal-1d-00000000000000000000"
Open = Callable[..., Journal]


@pytest.fixture
def open_journal(tmp_path: Path) -> Open:
    """A function that opens the journal of ``spans.duckdb``, as after a restart."""

    def open_(position: int = 0, **options: Any) -> Journal:
        return Journal(tmp_path / "spans.duckdb", "1d", position, **options)

    return open_


def bodies(journal: Journal, position: int = 0) -> list[bytes]:
    """Return the bodies of all records from ``position`` on."""
    read = []
    while position < journal.end:
        records, position = journal.read(position, READ_BYTES)
        read += [record.body for record in records]
    return read


def test_records_are_read_in_order(open_journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """This holds across segments and restarts; each record keeps its kind."""
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 50)
    journal = open_journal()
    for number in range(10):
        assert journal.append("logs" if number % 2 else "spans", b"%d" % number * 20)
    records, _ = journal.read(0, READ_BYTES)
    assert [record.kind for record in records] == ["spans", "logs"]  # those of one segment
    journal.close()
    journal = open_journal()
    journal.append("spans", b"")
    assert bodies(journal) == [*(b"%d" % number * 20 for number in range(10)), b""]
    assert bodies(journal, records[0].end)[0] == b"1" * 20


@pytest.mark.parametrize("cut_bytes", [1, 9, 12])
def test_a_record_that_was_cut_short_is_dropped_and_reported(
    open_journal: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture, cut_bytes: int
) -> None:
    """The records before it are kept, and later ones are appended after it."""
    journal = open_journal()
    journal.append("spans", b"first")
    journal.append("spans", b"second")
    journal.close()
    segment = tmp_path / FIRST
    os.truncate(segment, segment.stat().st_size - cut_bytes)
    journal = open_journal()
    journal.append("spans", b"third")
    assert bodies(journal) == [b"first", b"third"]
    remaining = len(b"second") + 9 - cut_bytes
    assert f"{segment}: {remaining} bytes are not a whole record, and were dropped" in caplog.text


@pytest.mark.parametrize("at", [0, 4, 8, 9, -1])
def test_a_damaged_record_is_dropped(open_journal: Open, tmp_path: Path, at: int) -> None:
    """The checksum covers the kind and the body; a wrong length is found with it."""
    journal = open_journal()
    journal.append("spans", b"first")
    second = journal.end
    journal.append("spans", b"second")
    journal.close()
    segment = tmp_path / FIRST
    content = bytearray(segment.read_bytes())
    content[second + at if at >= 0 else at] ^= 1
    segment.write_bytes(content)
    assert bodies(open_journal()) == [b"first"]


def test_a_full_journal_accepts_records_again_once_it_is_trimmed(
    open_journal: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segments that are stored completely are deleted; their positions are not used again."""
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 100)
    journal = open_journal(limit_bytes=300)
    while journal.append("spans", b"a" * 40):
        pass
    full = journal.end
    assert full <= journal.size_bytes <= 300
    journal.trim(147)
    assert 0 < journal.size_bytes < full
    assert journal.append("spans", b"b")
    assert bodies(journal, 147)[-1] == b"b"
    end = journal.end
    journal.trim(end)
    assert journal.size_bytes > 0  # records are still appended to the last segment
    journal.trim(end, last=True)
    assert (journal.size_bytes, list(tmp_path.iterdir())) == (0, [])
    assert open_journal(position=end).end == end


def test_a_failed_write_leaves_nothing_behind(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the disk fills up within a record, the records before and after it can be read."""
    journal = open_journal()
    journal.append("spans", b"first")
    write = os.write
    room = [12, 0]

    def full_disk(file: int, data: memoryview) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data[: room.pop(0)])

    monkeypatch.setattr(os, "write", full_disk)
    with pytest.raises(OSError, match="No space left"):
        journal.append("spans", b"second")
    monkeypatch.setattr(os, "write", write)
    journal.append("spans", b"third")
    assert bodies(journal) == bodies(open_journal()) == [b"first", b"third"]


def test_the_segments_of_another_database_are_left_alone(
    open_journal: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that was moved away keeps its journal."""
    journal = open_journal()
    journal.append("spans", b"first")
    other = Journal(tmp_path / "spans.duckdb", "0f", 0)
    assert f"{FIRST}: the journal of another database, which is ignored" in caplog.text
    assert other.end == 0
    other.append("spans", b"other")
    other.trim(other.end, last=True)
    assert bodies(open_journal()) == [b"first"]


def test_syncing_writes_each_unsynced_segment_to_the_disk(
    open_journal: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is synced too, because a new segment is an entry in it."""
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 20)
    synced: list[str] = []

    def fsync(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    journal = open_journal()
    for _ in range(2):
        journal.append("spans", b"a" * 20)
    journal.sync()
    journal.sync()
    assert synced == [FIRST, f"{FIRST[:-2]}29", tmp_path.name]


# Folding


class Blocked:
    """A store whose writer is busy until ``release``."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self._may_write = threading.Event()
        self._busy = self.store.run(lambda _: self._may_write.wait(30))

    def release(self) -> None:
        self._may_write.set()
        self._busy.result(30)


def segments(folder: Path) -> list[Path]:
    return list(folder.glob("*.journal-*"))


def one_span() -> Trace:
    trace = Trace()
    trace.span("page", "buy", INTERNAL, 0, 1)
    return trace


def spans_body(trace: Trace) -> bytes:
    body: bytes = trace.request().SerializeToString()
    return body


def count(store: Store, table: str) -> int:
    with store.reader() as reader:
        row = reader.execute(f"select count(*) from {table}").fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])


def test_a_small_request_is_acknowledged_before_its_commit(tmp_path: Path) -> None:
    """It is stored once the writer is free, and then deleted from the journal."""
    blocked = Blocked(tmp_path / "spans.duckdb")
    intake = Intake(blocked.store)
    trace = purchase("order-1")
    assert intake.add(spans_of, spans_body(trace)).result(10).reason == ""
    assert intake.add(logs_of, trace.logs_request().SerializeToString()).result(10).reason == ""
    assert intake.folding.pending_bytes > 0
    blocked.release()
    intake.folding.catch_up()
    assert intake.folding.pending_bytes == 0
    assert count(blocked.store, "raw_spans") == len(trace.spans)
    assert count(blocked.store, "raw_logs") == len(trace.logs)
    eventually(lambda: not segments(tmp_path), "the journal is empty")
    intake.close()
    blocked.store.close()


def test_other_requests_are_acknowledged_after_their_commit(tmp_path: Path) -> None:
    """These are large requests, and those of which something is rejected."""
    blocked = Blocked(tmp_path / "spans.duckdb")
    intake = Intake(blocked.store)
    large, invalid = one_span(), one_span()
    large.span("page", "large", INTERNAL, 0, 1, text="a" * REQUEST_LIMIT_BYTES)
    invalid.span("page", "invalid", INTERNAL, 0, 1).span_id = bytes(8)
    added = [intake.add(spans_of, spans_body(trace)) for trace in (large, invalid)]
    assert blocked.store.journal.end == 0
    assert not any(each.done() for each in added)
    blocked.release()
    assert [each.result(10).rejected for each in added] == [0, 1]
    intake.close()
    blocked.store.close()


def test_requests_wait_for_their_commit_while_the_journal_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the backlog on disk is bounded, and the memory budget limits what waits."""
    blocked = Blocked(tmp_path / "spans.duckdb")
    monkeypatch.setattr(blocked.store.journal, "_limit_bytes", 1000)
    intake = Intake(blocked.store)
    traces = [one_span() for _ in range(20)]
    added = [intake.add(spans_of, spans_body(trace)) for trace in traces]
    acknowledged = [each.done() for each in added]
    assert 0 < sum(acknowledged) < 20
    assert blocked.store.journal.size_bytes <= 1000
    blocked.release()
    for each in added:
        each.result(10)
    intake.close()
    assert count(blocked.store, "raw_spans") == 20
    blocked.store.close()


def test_requests_wait_for_their_commit_if_the_journal_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason is logged once, and the end of the failure too."""
    store = Store(tmp_path / "spans.duckdb")
    obstacle = tmp_path / f"{store.journal.name}-{0:020}"
    obstacle.mkdir()
    intake = Intake(store)
    for expected in (1, 2):
        intake.add(spans_of, spans_body(one_span())).result(10)
        assert count(store, "raw_spans") == expected
    obstacle.rmdir()
    intake.add(spans_of, spans_body(one_span())).result(10)
    intake.close()
    assert count(store, "raw_spans") == 3
    messages = [record.getMessage() for record in caplog.records]
    assert [message.partition(" to ")[0] for message in messages] == [
        "requests cannot be written",
        "requests can be written",
    ]
    assert "Is a directory" in messages[0]
    store.close()


def test_a_restart_stores_what_was_acknowledged(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """The first response after the start shows it."""
    first = start()
    trace = purchase("order-1")
    may_write = threading.Event()
    first.store.run(lambda _: may_write.wait(30))
    first.post("/v1/traces", spans_body(trace)).raise_for_status()
    copy = tmp_path / "copy"  # as after SIGKILL: nothing has been committed
    copy.mkdir()
    for path in tmp_path.glob("spans.duckdb*"):
        shutil.copy(path, copy)
    may_write.set()
    second = start(data=copy / first.store.path.name)
    assert second.client.trace(trace.trace_id.hex())["spans"] == len(trace.spans)


@pytest.mark.parametrize(
    ("path", "field"),
    [("/api/health", "traces"), ("/api/storage", "traces"), ("/api/traces", "total")],
)
def test_a_response_shows_what_was_acknowledged_before_it(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, path: str, field: str
) -> None:
    """A query does not wait until the next requests are gathered."""
    monkeypatch.setattr(folding_module, "GATHER_SECONDS", 3600)
    running = start()
    version = running.http.get("/api/traces").headers["etag"]
    running.post("/v1/traces", spans_body(purchase("order-1"))).raise_for_status()
    response = running.http.get(path, headers={"if-none-match": version}).raise_for_status()
    assert response.json()[field] == 1


def test_a_replay_stores_nothing_twice(tmp_path: Path) -> None:
    """If the process is killed after a fold, before its segment is deleted, the rows stay as they
    are."""
    path = tmp_path / "spans.duckdb"
    kept = tmp_path / "kept"
    kept.mkdir()
    store = Store(path)
    intake = Intake(store)
    logs = purchase("order-1").logs_request().SerializeToString()
    intake.add(logs_of, logs).result(10)
    intake.add(logs_of, logs).result(10)  # log records have no identity: these are different ones
    for segment in segments(tmp_path):
        shutil.copy(segment, kept)
    intake.close()
    stored = count(store, "raw_logs")
    store.close()
    assert not segments(tmp_path)
    for segment in segments(kept):
        shutil.move(segment, tmp_path)
    store = Store(path)
    intake = Intake(store)
    intake.add(logs_of, logs).result(10)
    intake.close()
    assert stored > 0
    assert count(store, "raw_logs") == stored * 3 / 2
    assert store.journal.size_bytes == 0
    store.close()


def test_an_unreadable_record_does_not_affect_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A record that cannot be converted to rows is dropped and reported."""
    blocked = Blocked(tmp_path / "spans.duckdb")
    journal = blocked.store.journal
    for body in (spans_body(one_span()), b"not a request", spans_body(one_span())):
        journal.append("spans", body)
    blocked.release()
    Intake(blocked.store).close()
    assert count(blocked.store, "raw_spans") == 2
    assert journal.size_bytes == 0
    assert "an acknowledged request cannot be stored, and was dropped" in caplog.text
    blocked.store.close()


def test_requests_stay_in_the_journal_while_the_store_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Meanwhile others are acknowledged after their commit; queries do not wait."""
    monkeypatch.setattr(folding_module, "RETRY_SECONDS", 0.05)
    store = Store(tmp_path / "spans.duckdb")
    commit = store._row_writer.commit
    failing = True

    def full_disk(*arguments: Any) -> None:
        if failing:
            raise duckdb.IOException("No space left on device")
        commit(*arguments)

    monkeypatch.setattr(store._row_writer, "commit", full_disk)
    synced = threading.Event()
    monkeypatch.setattr(store.journal, "sync", synced.set)
    monkeypatch.setattr(folding_module, "SYNC_SECONDS", 0.01)
    intake = Intake(store)
    assert intake.add(spans_of, spans_body(one_span())).exception(10) is None
    eventually(lambda: "requests stay in" in caplog.text, "the failure is logged")
    assert synced.wait(10)
    with pytest.raises(Exception, match="No space left"):
        intake.add(spans_of, spans_body(one_span())).result(10)
    pending_bytes = intake.folding.pending_bytes
    assert pending_bytes > 0
    intake.folding.catch_up()
    failing = False
    eventually(lambda: intake.folding.pending_bytes == 0, "the request is stored")
    assert count(store, "raw_spans") == 1
    assert caplog.text.count("requests stay in") == 1
    intake.close()
    store.close()


def test_clearing_deletes_what_is_not_folded_yet(tmp_path: Path) -> None:
    """A fold that was prepared before the call stores nothing after it."""
    store = Store(tmp_path / "spans.duckdb")
    cleared, kept = one_span(), one_span()
    store.journal.append("spans", spans_body(cleared))
    end = store.journal.end
    store.clear()
    assert (store.folded, store.journal.size_bytes) == (end, 0)
    store.fold([cleared.rows()], 0, end).result(10)
    assert count(store, "raw_spans") == 0
    store.journal.append("spans", spans_body(kept))
    Intake(store).close()
    with store.reader() as reader:
        stored = reader.execute("select trace_id from raw_spans").fetchall()
    assert stored == [(kept.trace_id.hex(),)]
    store.close()


def test_the_journals_size_counts_as_storage(tmp_path: Path) -> None:
    """Retention and the Storage view see it."""
    store = Store(tmp_path / "spans.duckdb")
    used, size = store.used_bytes(), store.file_bytes()
    store.journal.append("spans", bytes(10_000))
    assert store.used_bytes() - used == store.file_bytes() - size == store.journal.size_bytes
    store.close()


def test_a_file_from_before_the_journal_is_opened(tmp_path: Path) -> None:
    """It gets a journal; what it stores stays."""
    path = tmp_path / "spans.duckdb"
    store = Store(path)
    trace = purchase("order-1")
    store.add(trace.rows()).result(10)
    store.close()
    with duckdb.connect(path) as connection:
        connection.execute("drop table journal_state")
    store = Store(path)
    intake = Intake(store)
    intake.add(spans_of, spans_body(one_span())).result(10)
    intake.close()
    assert count(store, "raw_spans") == len(trace.spans) + 1
    store.close()


def test_a_rolled_back_transaction_keeps_the_position(tmp_path: Path) -> None:
    """Otherwise the requests before it would never be stored."""
    store = Store(tmp_path / "spans.duckdb")
    store.journal.append("spans", spans_body(one_span()))

    def fails(_: duckdb.DuckDBPyConnection) -> None:
        store._row_writer.fold_to(store.journal.end)
        raise ValueError("failed")

    assert isinstance(store.run(fails).exception(10), ValueError)
    assert store.folded == 0
    Intake(store).close()
    assert count(store, "raw_spans") == 1
    store.close()


@pytest.fixture(autouse=True)
def _log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
