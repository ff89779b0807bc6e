"""Find the files that can be loaded, and say for each which format and table it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from handraise.errors import InputError
from handraise.events.formats.files import InputFile, columns_of, shape_of
from handraise.events.formats.protocol import Source
from handraise.events.registry import CANONICAL, detect, format_names
from handraise.warehouse.tables import INPUTS, Renames

_ENDINGS = ".csv, .ndjson, .jsonl, .json or .parquet"
_SHOWN_COLUMNS = 12


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found.

    Attributes:
        files: Files to load, in the order of loading: entities before events.
        passed_over: Files of folders that no format knows, with an ending that could be data.
    """

    files: list[InputFile]
    passed_over: list[Path]


def survey(paths: list[Path], *, renames: Renames | None = None, only: str | None = None) -> Survey:
    """Files among `paths` and in all folders below them.

    A canonical file belongs to the input its name (or its folder's name) starts with: `events.csv`,
    `events-2026-10.parquet`, `events/part-0.ndjson.gz`; a file of another format is known by its columns. Other files
    are passed over in folders, and refused when named.

    Args:
        paths: Files and folders.
        renames: Input → canonical column → column in the file, from the playbook's `attributes`.
        only: The one format to look for; None = all.

    Raises:
        InputError: A path does not exist, or is a file that no format knows.
    """
    found: list[InputFile] = []
    passed_over: list[Path] = []
    for path in paths:
        _refuse_odd_name(path)
        if path.is_dir():
            for child in _files_below(path):
                file = _recognise(child, path, renames or {}, only)
                if file is not None:
                    found.append(file)
                elif shape_of(child) is not None:
                    passed_over.append(child)
        elif path.is_file():
            file = _recognise(path, path.parent, renames or {}, only)
            if file is None:
                raise _unknown(path, only)
            found.append(file)
        else:
            there = path.is_symlink() or path.exists()
            what = "this is neither a file nor a folder." if there else "there is no such file or folder."
            raise InputError(what, where=str(path), todo="Check the path.")
    if not found:
        raise InputError(
            f"no {'canonical file' if only == CANONICAL else 'file that can be loaded'} was found.",
            where=", ".join(map(str, paths)),
            todo="A folder holds events.csv (or .ndjson, .parquet) and, if you have them, people, accounts and so on; "
            f"or the tables of one of these formats: {', '.join(format_names())}.",
        )
    order = {name: index for index, name in enumerate(INPUTS)}
    files = sorted(dict.fromkeys(found), key=lambda f: (order.get(f.table) or len(order), str(f.path)))
    return Survey(files=files, passed_over=passed_over)


def _files_below(folder: Path) -> list[Path]:
    """Sorted; links to folders are not followed, so that they cannot lead in a circle.

    Raises:
        InputError: A folder may not be read, or a file has a name that cannot be kept.
    """
    found: list[Path] = []
    folders = [folder]
    while folders:
        place = folders.pop()
        try:
            for child in place.iterdir():
                if child.is_dir() and not child.is_symlink():
                    folders.append(child)
                elif child.is_file():
                    found.append(child)
        except OSError as error:
            raise InputError(
                f"a folder cannot be read ({error.strerror}).",
                where=str(place),
                todo="Give yourself the right to read it, or name the files that you can read.",
            ) from error
    files = sorted(found)
    for file in files:
        _refuse_odd_name(file)
    return files


def _refuse_odd_name(path: Path) -> None:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        shown = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        raise InputError("the name of the file is not UTF-8 text.", where=shown, todo="Rename it.") from error


def find_files(paths: list[Path], *, renames: Renames | None = None, only: str | None = None) -> list[InputFile]:
    """The files of `survey`."""
    return survey(paths, renames=renames, only=only).files


def _recognise(path: Path, root: Path, renames: Renames, only: str | None) -> InputFile | None:
    shape = shape_of(path)
    if shape is None:
        return None
    stem, form, packing = shape
    folder = path.parent.name.lower() if path.parent != root else ""
    named = _canonical_input(stem, folder)
    if only == CANONICAL:
        found = (CANONICAL, named) if named else None
    else:
        source = Source(name=stem, folder=folder, columns=columns_of(path, form, packing))
        found = _detected(source, named, renames, only)
    if found is None:
        return None
    return InputFile(path=path, format=found[0], table=found[1], form=form, packing=packing)


def _detected(source: Source, named: str | None, renames: Renames, only: str | None) -> tuple[str, str] | None:
    """A canonical name with canonical columns, else a format that knows the columns, else a canonical name alone."""
    if only is None:
        if named and _lacks_nothing(source, named, renames):
            return CANONICAL, named
        if named is None and _lacks_nothing(source, "events", renames):
            return CANONICAL, "events"
    found = detect(source, only=only)
    if found is None and named and only is None:
        return CANONICAL, named  # reading it will say which column is missing
    return found


def _canonical_input(stem: str, folder: str) -> str | None:
    for candidate in (stem, folder):
        name = re.split(r"[-_.0-9]", candidate)[0] if candidate not in INPUTS else candidate
        if name in INPUTS:
            return name
    return None


def _lacks_nothing(source: Source, name: str, renames: Renames) -> bool:
    columns = {*source.columns, *(ours for ours, theirs in renames.get(name, {}).items() if theirs in source.columns)}
    needed = ((option,) if isinstance(option, str) else option for option in INPUTS[name].required)
    return all(columns & set(options) for options in needed)


def _unknown(path: Path, only: str | None) -> InputError:
    shape = shape_of(path)
    names = ", ".join(INPUTS)
    if shape is None:
        return InputError(
            "cannot tell which input this file holds.",
            where=str(path),
            todo=f"Only files that end in {_ENDINGS} (all but the last also .gz or .zst) are read.",
        )
    columns = columns_of(path, shape[1], shape[2])
    shown = ", ".join(columns[:_SHOWN_COLUMNS]) + (", …" if len(columns) > _SHOWN_COLUMNS else "")
    looked_for = only or "any format"
    return InputError(
        f"cannot tell which input this file holds: its name and its columns ({shown or 'none that can be read'}) "
        f"are not those of {looked_for}.",
        where=str(path),
        todo=f"Name it after its input ({names}) and its columns as the manual says, "
        f"or name its format with --format ({', '.join(format_names())}).",
    )
