"""An append-only journal of received requests, in front of the DuckDB file.

A record survives the end of the process once it is written, which takes microseconds; a commit
takes milliseconds. Requests that are in the journal can therefore be acknowledged at once and be
stored in groups.

The journal consists of segments, which are files beside the DuckDB file. A position is a number of
bytes since the journal was created. A segment's name ends in the journal's id, which is stored in
the DuckDB file, and the position at which the segment begins.
"""

import contextlib
import logging
import os
import re
import struct
import zlib
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from observatory.store.rows import KINDS, Kind

# The size of a segment. A segment is deleted once all of it has been stored in the database.
SEGMENT_BYTES = 2**20
# The limit on disk use: as much as the store writes in about a second, because telemetry should be
# searchable a second after it was acknowledged.
LIMIT_BYTES = 8 * 2**20
# The body's length, the CRC-32 of the rest of the record, and the index of its kind in KINDS.
_LENGTH_AND_CHECKSUM = struct.Struct("<II")
_OVERHEAD_BYTES = _LENGTH_AND_CHECKSUM.size + 1

log = logging.getLogger(__name__)


class Record(NamedTuple):
    """One request, and the positions at which its record begins and ends."""

    kind: Kind
    body: bytes
    begin: int
    end: int


class Journal:
    """A journal with one writer and one reader, which may be different threads.

    Args:
        database: the DuckDB file that the segments are beside.
        id_: the journal's id; the segments of other journals are left alone.
        position: everything before it has been stored.
        limit_bytes: the limit on the size of all segments together.

    Raises:
        OSError: the segments cannot be listed.
    """

    def __init__(
        self, database: Path, id_: str, position: int, limit_bytes: int = LIMIT_BYTES
    ) -> None:
        self._folder = database.parent
        self._of_any_journal = f"{database.name}.journal-"
        self.name = f"{self._of_any_journal}{id_}"
        self._limit_bytes = limit_bytes
        self._lock = Lock()
        self._segments = self._existing_segments()  # where they begin, in order
        self._file: int | None = None  # the last segment, while records are appended to it
        # Records are appended to new segments only: the last one may end within a record.
        ends = [begin + self._path(begin).stat().st_size for begin in self._segments]
        self._end = max([position, *ends])
        self._synced = self._end

    @property
    def end(self) -> int:
        """Return the position at which the next record will begin."""
        return self._end

    @property
    def size_bytes(self) -> int:
        """Return the size of all segments."""
        with self._lock:
            return self._size_bytes()

    def append(self, kind: Kind, body: bytes) -> bool:
        """Write a record. Return False if the journal is full.

        Raises:
            OSError: the record could not be written.
        """
        content = bytes([KINDS.index(kind)]) + body
        record = _LENGTH_AND_CHECKSUM.pack(len(body), zlib.crc32(content)) + content
        with self._lock:
            if self._size_bytes() + len(record) > self._limit_bytes:
                return False
            if self._end - (self._segments or [self._end])[-1] >= SEGMENT_BYTES:
                self._seal()
            if self._file is None:
                self._file = self._new_segment()
            try:
                unwritten = memoryview(record)
                while unwritten:
                    unwritten = unwritten[os.write(self._file, unwritten) :]
            except OSError:
                # A part of the record may remain: it is beyond the begin of the next segment.
                self._seal()
                raise
            self._end += len(record)
        return True

    def read(self, position: int, limit_bytes: int) -> tuple[list[Record], int]:
        """Return the records of one segment from ``position`` on, and the position after them.

        Bytes that are not a whole record are skipped and reported. Then, and at the journal's end,
        there are no records.

        Args:
            position: where a record begins.
            limit_bytes: how much to read; more than the longest record.

        Raises:
            OSError: the segment could not be read.
        """
        with self._lock:
            begin = max((each for each in self._segments if each <= position), default=position)
            end = min((each for each in self._segments if each > position), default=self._end)
            exists = begin in self._segments
        if not exists:
            return [], end
        with self._path(begin).open("rb") as file:
            file.seek(position - begin)
            data = file.read(min(end - position, limit_bytes))
        records: list[Record] = []
        at = 0
        while (record := _record_at(data, at, position)) is not None:
            records.append(record)
            at = record.end - position
        if records:
            return records, records[-1].end
        if data:
            log.warning(
                "%s: %d bytes are not a whole record, and were dropped",
                self._path(begin),
                end - position,
            )
        return [], end

    def trim(self, position: int, *, last: bool = False) -> None:
        """Delete the segments that end before ``position``.

        Args:
            position: everything before it has been stored.
            last: whether to delete the last segment too, to which records are still appended.

        Raises:
            OSError: a segment could not be deleted.
        """
        with self._lock:
            if last and self._end <= position:
                self._seal()
            while self._segments:
                is_last = len(self._segments) == 1
                end = self._end if is_last else self._segments[1]
                if end > position or (is_last and self._file is not None):
                    break
                self._path(self._segments[0]).unlink(missing_ok=True)
                del self._segments[0]

    def sync(self) -> None:
        """Write everything to the disk that the operating system still holds in memory.

        Raises:
            OSError: the disk failed.
        """
        with self._lock:
            synced, end = self._synced, self._end
            ends = [*self._segments[1:], end]
            unsynced = [
                self._path(begin)
                for begin, segment_end in zip(self._segments, ends, strict=True)
                if segment_end > synced
            ]
        for path in (*unsynced, self._folder) if unsynced else ():
            with contextlib.suppress(FileNotFoundError):  # it has been stored meanwhile
                file = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(file)
                finally:
                    os.close(file)
        self._synced = end

    def close(self) -> None:
        """Close the last segment. May be called twice."""
        with self._lock:
            self._seal()

    def _existing_segments(self) -> list[int]:
        names = [each for each in os.listdir(self._folder) if each.startswith(self._of_any_journal)]
        own = [name for name in names if re.fullmatch(rf"{re.escape(self.name)}-[0-9]+", name)]
        if len(own) < len(names):
            others = ", ".join(sorted({*names} - {*own}))
            log.warning("%s: the journal of another database, which is ignored", others)
        return sorted(int(name.rpartition("-")[2]) for name in own)

    def _path(self, begin: int) -> Path:
        return self._folder / f"{self.name}-{begin:020}"

    def _size_bytes(self) -> int:
        return self._end - self._segments[0] if self._segments else 0

    def _new_segment(self) -> int:
        # O_TRUNC: after a failed write, a segment may exist that begins here.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        file = os.open(self._path(self._end), flags, 0o600)
        if self._end not in self._segments:
            self._segments.append(self._end)
        return file

    def _seal(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _record_at(data: bytes, at: int, position: int) -> Record | None:
    """Return the record that begins at index ``at``; None if there is no whole one."""
    if len(data) - at < _OVERHEAD_BYTES:
        return None
    length, checksum = _LENGTH_AND_CHECKSUM.unpack_from(data, at)
    begin, end = at + _LENGTH_AND_CHECKSUM.size, at + _OVERHEAD_BYTES + length
    content = data[begin:end]
    if end > len(data) or zlib.crc32(content) != checksum or content[0] >= len(KINDS):
        return None
    return Record(KINDS[content[0]], content[1:], position + at, position + end)
