"""Find canonical files, see what they are and how they are packed, and read them in batches."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import zstandard

from handraise.errors import InputError
from handraise.events.formats.batches import Batch
from handraise.events.formats.csv_file import read_csv
from handraise.events.formats.ndjson_file import read_ndjson
from handraise.events.formats.parquet_file import read_parquet
from handraise.warehouse.tables import INPUTS

_SUFFIX = re.compile(r"\.(csv|ndjson|jsonl|parquet)(\.gz|\.zst)?$", re.IGNORECASE)
_PACKED_ERRORS = (OSError, EOFError, zstandard.ZstdError)


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """One file that can be read.

    Attributes:
        path: Where it is.
        input: The canonical input it holds, such as `events`.
        form: csv, ndjson or parquet.
        packing: "", ".gz" or ".zst".
    """

    path: Path
    input: str
    form: str
    packing: str


def find_files(paths: list[Path]) -> list[InputFile]:
    """Canonical files among `paths` and in all folders below them, entities before events.

    A file belongs to the input its name (or its folder's name) starts with: `events.csv`, `events-2026-10.parquet`,
    `events/part-0.ndjson.gz`. Other files are passed over in folders, and refused when named.

    Raises:
        InputError: A path does not exist, or is a file that no input can be told from.
    """
    found: list[InputFile] = []
    for path in paths:
        if path.is_dir():
            children = sorted(child for child in path.rglob("*") if child.is_file())
            found += [file for child in children if (file := _recognise(child, path)) is not None]
        elif path.exists():
            file = _recognise(path, path.parent)
            if file is None:
                names = ", ".join(INPUTS)
                raise InputError(
                    "cannot tell which input this file holds.",
                    where=str(path),
                    todo=f"Name it after its input ({names}) with the ending .csv, .ndjson or .parquet.",
                )
            found.append(file)
        else:
            raise InputError("there is no such file or folder.", where=str(path), todo="Check the path.")
    if not found:
        raise InputError(
            "no canonical file was found.",
            where=", ".join(map(str, paths)),
            todo="A folder holds events.csv (or .ndjson, .parquet) and, if you have them, people, accounts and so on.",
        )
    order = {name: index for index, name in enumerate(INPUTS)}
    return sorted(dict.fromkeys(found), key=lambda f: (order[f.input] or len(order), str(f.path)))


def _recognise(path: Path, root: Path) -> InputFile | None:
    suffix = _SUFFIX.search(path.name)
    if suffix is None:
        return None
    stem = path.name[: suffix.start()].lower()
    folder = path.parent.name.lower() if path.parent != root else ""
    for candidate in (stem, folder):
        name = re.split(r"[-_.0-9]", candidate)[0] if candidate not in INPUTS else candidate
        if name in INPUTS:
            form = {"jsonl": "ndjson"}.get(suffix[1].lower(), suffix[1].lower())
            return InputFile(path=path, input=name, form=form, packing=(suffix[2] or "").lower())
    return None


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
            yield from _read_text(file, stream, lambda: 1.0 if raw.closed else min(raw.tell() / size, 1.0))
    except _PACKED_ERRORS as error:
        raise InputError(
            f"the file cannot be read to its end ({error}).",
            where=str(file.path),
            todo="What was read before is stored; load the file again once it is whole.",
        ) from error


def _read_text(file: InputFile, stream: IO[bytes], share_read: Callable[[], float]) -> Iterator[Batch]:
    if file.form == "ndjson":
        with stream:
            yield from read_ndjson(stream, share_read=share_read)
    else:
        with io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="") as text:
            yield from read_csv(text, name=str(file.path), share_read=share_read)


def _unpacked(raw: IO[bytes], packing: str) -> IO[bytes]:
    if packing == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if packing == ".zst":
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True))
    return raw
