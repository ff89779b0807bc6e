"""See how a file is packed and which columns it has, and read it in batches."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import zstandard

from handraise.errors import InputError
from handraise.events.formats.batches import LONGEST_ROW, Batch
from handraise.events.formats.csv_file import read_csv, read_header
from handraise.events.formats.ndjson_file import ndjson_columns, read_ndjson
from handraise.events.formats.parquet_file import parquet_columns, read_parquet

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_SUFFIX = re.compile(r"\.(csv|ndjson|jsonl|json|parquet)(\.gz|\.zst)?$", re.IGNORECASE)
_PACKED_AT_ONCE = 64 * 1024
_PACKED_ERRORS = (OSError, EOFError, zlib.error, zstandard.ZstdError)


_LINES_LOOKED_AT = 200


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """One file that can be read.

    Attributes:
        path: Where it is.
        format: `canonical`, or the vendor's layout, such as `segment`.
        table: The canonical input it holds, or the format's table.
        form: csv, ndjson or parquet.
        packing: "", ".gz" or ".zst".
    """

    path: Path
    format: str
    table: str
    form: str
    packing: str


def shape_of(path: Path) -> tuple[str, str, str] | None:
    """Lower-case stem, form and packing of a file that has one of the endings; else None."""
    suffix = _SUFFIX.search(path.name)
    if suffix is None:
        return None
    form = {"jsonl": "ndjson", "json": "ndjson"}.get(suffix[1].lower(), suffix[1].lower())
    return path.name[: suffix.start()].lower(), form, (suffix[2] or "").lower()


def columns_of(path: Path, form: str, packing: str) -> tuple[str, ...]:
    """Column names, from the header line, the first lines or the Parquet schema; empty when they cannot be read."""
    try:
        if form == "parquet":
            return parquet_columns(path)
        with path.open("rb") as raw:
            stream = _unpacked(raw, packing)
            if form == "ndjson":
                return ndjson_columns(stream, _LINES_LOOKED_AT)
            with io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="") as text:
                return tuple(read_header(text, str(path)))
    except (*_PACKED_ERRORS, InputError):
        return ()


def read_batches(file: InputFile) -> Iterator[Batch]:
    """Read one file in batches of bounded size.

    Raises:
        InputError: The file cannot be read, is cut off, or is not what its ending says.
    """
    if file.form == "parquet":
        if file.packing:
            raise InputError("Parquet packs itself.", where=str(file.path), todo="Unpack the file first.")
        yield from read_parquet(file.path)
        return
    try:
        size = max(file.path.stat().st_size, 1)
        with file.path.open("rb") as raw:
            stream = _unpacked(raw, file.packing)
            whole = _WholeLines(stream) if file.packing else None
            text = io.BufferedReader(whole) if whole else stream
            try:
                yield from _read_text(file, text, lambda: 1.0 if raw.closed else min(raw.tell() / size, 1.0))
            except InputError:
                # So little was read that it makes no sense; how it broke off says more.
                if not (whole and whole.broken):
                    raise
            if whole and whole.broken:
                raise whole.broken
    except _PACKED_ERRORS as error:
        raise InputError(
            f"the file cannot be read to its end ({error}).",
            where=str(file.path),
            todo="What was read before is stored; load the file again once it is whole.",
        ) from error


def _read_text(file: InputFile, stream: IO[bytes], share_read: Callable[[], float]) -> Iterator[Batch]:
    if file.form == "ndjson":
        with stream:
            yield from read_ndjson(stream, name=str(file.path), share_read=share_read)
    else:
        with io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="") as text:
            yield from read_csv(text, name=str(file.path), share_read=share_read)


def _unpacked(raw: IO[bytes], packing: str) -> IO[bytes]:
    if packing == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if packing == ".zst":
        return io.BufferedReader(_Zstandard(raw))
    return raw


class _WholeLines(io.RawIOBase):
    """A packed file's lines up to where it breaks off; `broken` says how it did.

    A line that is cut may look whole (an id, a time that is shorter), so that it is not handed on.
    """

    def __init__(self, unpacked: IO[bytes]) -> None:
        super().__init__()
        self._unpacked = unpacked
        self._begun = b""
        self._ready = memoryview(b"")
        self.broken: Exception | None = None

    def readable(self) -> bool:
        """It is read from."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Hand on some bytes of whole lines; 0 at the end, or where the file breaks off."""
        while not self._ready and self.broken is None:
            try:
                content = self._unpacked.read1(_PACKED_AT_ONCE)  # type: ignore[attr-defined]
            except _PACKED_ERRORS as error:
                self.broken = error
                return 0
            if not content:
                self._ready, self._begun = memoryview(self._begun), b""
                break
            content = self._begun + content
            # A longer line than any row may be is none of which an end would be missed.
            end = content.rfind(b"\n") + 1 or (len(content) if len(content) > LONGEST_ROW else 0)
            self._ready, self._begun = memoryview(content[:end]), content[end:]
        into = memoryview(buffer).cast("B")
        size = min(len(into), len(self._ready))
        into[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


class _Zstandard(io.RawIOBase):
    """Frames one after the other; unlike the library's own reader, it tells when the last one is cut off."""

    def __init__(self, packed: IO[bytes]) -> None:
        super().__init__()
        self._packed = packed
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._unread = b""
        self._content = memoryview(b"")

    def readable(self) -> bool:
        """It is read from."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Unpack some bytes into a buffer; 0 at the end.

        Raises:
            EOFError: The file breaks off inside a frame.
        """
        while not self._content:
            packed = self._unread or self._packed.read(_PACKED_AT_ONCE)
            if not packed:
                if self._frame is not None:
                    raise EOFError("the last frame is cut off")
                return 0
            frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._content = memoryview(frame.decompress(packed))
            self._unread = frame.unused_data if frame.eof else b""
            self._frame = None if frame.eof else frame
        into = memoryview(buffer).cast("B")
        size = min(len(into), len(self._content))
        into[:size] = self._content[:size]
        self._content = self._content[size:]
        return size
