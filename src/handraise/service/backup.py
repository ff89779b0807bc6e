"""Copies of everything a project cannot make again: data file, log, ledger and playbook; and back from them.

A copy is taken while the server runs. The data file is copied first, by the thread that owns it; the log after it, so
that it holds at least what the data file has taken in. What it holds beyond is taken in after a restore.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from handraise.errors import InputError, ProjectError
from handraise.ledger.backup import backup_to
from handraise.ledger.store import FILE_NAME as LEDGER_FILE
from handraise.ledger.store import Ledger
from handraise.ledger.suppression import hashes_of
from handraise.log.disk import sha256_of
from handraise.log.segment import HEADER_SIZE, recover, segments_in
from handraise.playbook.load import FILE_NAME
from handraise.service.folder import DATA_FOLDER, DATABASE, LOG_FOLDER, RESTORING
from handraise.service.ownership import claim

BACKUPS = "backups"
# Beside the backups: who was erased, as keyed hashes, so that restoring one that is older knows of it.
NOTES = "erasures.ndjson"
# In data that were restored, until whoever was erased since then has been erased from them again; the same lines.
RESTORED = "restored.ndjson"
_MANIFEST = "backup.json"
_FORMAT = 1
_CHUNK = 1024 * 1024


class BackedUpFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup.

    Attributes:
        path: Where it is in the backup, and in a project's data folder.
        size: Bytes.
        sha256: Of all of them.
    """

    path: str
    size: int
    sha256: str


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds.

    Attributes:
        format: Version of this layout.
        made_at: When, ISO-8601.
        files: Each of them.
    """

    format: int
    made_at: str
    files: tuple[BackedUpFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore did.

    Attributes:
        backup: What was restored.
        kept: Where the data that were there before are now; None = there were none.
    """

    backup: Backup
    kept: Path | None


def back_up(
    folder: Path,
    target: Path,
    *,
    copy_data: Callable[[Path], object],
    ledger: Ledger,
    now: datetime,
    random: Callable[[int], bytes],
) -> Backup:
    """Copy a project into a new folder, whole or not at all.

    Args:
        folder: The project's.
        target: The backup's; must not be there.
        copy_data: Copies the data file to a path, while nobody changes it.
        ledger: The project's; one in Postgres is left to Postgres' own tools.
        now: The present instant.
        random: Gives so many random bytes.

    Raises:
        ProjectError: The target is there, or cannot be written.
        LedgerError: The ledger cannot be read.
    """
    if target.exists():
        raise ProjectError("there is something of that name already.", where=str(target), todo="Name a new folder.")
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True, mode=0o700)
        with ledger.transaction() as connection:
            # The key of the suppression list: erasures that come later are known by it after a restore.
            hashes_of(connection, [], now=now, random=random)
        copy_data(unfinished / DATABASE)
        _copy_log(folder / DATA_FOLDER / LOG_FOLDER, unfinished / LOG_FOLDER)
        if ledger.file:
            backup_to(ledger, unfinished / LEDGER_FILE)
        shutil.copyfile(folder / FILE_NAME, unfinished / FILE_NAME)
        made = Backup(format=_FORMAT, made_at=now.isoformat(timespec="seconds"), files=_described(unfinished))
        (unfinished / _MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=2))
        unfinished.rename(target)
    except OSError as error:
        raise ProjectError(
            f"the backup cannot be written ({error}).", where=str(target), todo="Choose another place, or make room."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return made


def _copy_log(source: Path, target: Path) -> None:
    """Sealed segments as they are; of an open one, what can be read."""
    target.mkdir(mode=0o700)
    segments, _ = segments_in(source) if source.is_dir() else ([], [])
    for segment in segments:
        copy = target / segment.path.name
        if segment.seal_path.exists():
            shutil.copyfile(segment.path, copy)
            shutil.copyfile(segment.seal_path, target / segment.seal_path.name)
            continue
        end = recover(segment).end - segment.start
        if end > HEADER_SIZE:
            with segment.path.open("rb") as file:
                copy.write_bytes(file.read(end))


def _described(folder: Path) -> tuple[BackedUpFile, ...]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(
        BackedUpFile(path=str(file.relative_to(folder)), size=file.stat().st_size, sha256=sha256_of(file))
        for file in files
    )


def read_backup(source: Path) -> Backup:
    """What a backup holds, after every file was compared with what it was.

    Raises:
        InputError: It is no backup, of a later version, or not complete and sound.
    """
    try:
        found = msgspec.json.decode((source / _MANIFEST).read_bytes(), type=Backup)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError("this is no backup.", where=str(source), todo=f"A backup has a file {_MANIFEST}.") from error
    if found.format > _FORMAT:
        raise InputError("this backup was made by a later version.", where=str(source), todo="Use that version.")
    for file in found.files:
        path = source / file.path
        if not _is_inside(source, file.path):
            raise InputError(
                f"the backup names a file outside of itself: {file.path}.", where=str(source), todo="Do not use it."
            )
        if not path.is_file() or path.stat().st_size != file.size or sha256_of(path) != file.sha256:
            raise InputError(
                f"the backup is damaged: {file.path} is not as it was.", where=str(source), todo="Use another backup."
            )
    return found


def _is_inside(source: Path, name: str) -> bool:
    """Whether a file that a backup names lies in it, and is no link to one elsewhere: whoever made it may not be a friend."""
    parts = Path(name).parts
    plain = bool(parts) and not Path(name).is_absolute() and ".." not in parts
    return plain and not any(
        (source / part).is_symlink() for part in (Path(*parts[: n + 1]) for n in range(len(parts)))
    )


def restore(folder: Path, source: Path, *, now: datetime) -> Restored:
    """Put a backup in the place of a project's data; what is there is kept beside it.

    Backups themselves, and notes of erasures, stay where they are; notes beside a backup of another folder are added to
    them. The playbook is restored only where there is none.
    Erasures that came after the backup have to be done again: see `service.erase.erase_noted`.

    Raises:
        InputError: The backup cannot be used; nothing was changed.
        BusyError: A server has the project.
        ProjectError: The folder cannot be written.
    """
    found = read_backup(source)
    data, fresh = folder / DATA_FOLDER, folder / RESTORING
    kept = _unused(folder / f"{DATA_FOLDER}.before-{now:%Y%m%dT%H%M%S}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not data.exists() and fresh.exists():
            _take_back(folder)
        data.mkdir(exist_ok=True)
        right = claim(data)
        with contextlib.closing(right.lock):
            shutil.rmtree(fresh, ignore_errors=True)
            _copy_back(source, fresh, found)
            if not (folder / FILE_NAME).exists():
                shutil.copyfile(source / FILE_NAME, folder / FILE_NAME)
            noted = _noted(data / BACKUPS / NOTES, source.parent / NOTES)
            (fresh / RESTORED).write_text("".join(noted), "ascii")
            data.rename(kept)
            fresh.rename(data)
            if (kept / BACKUPS).exists():
                (kept / BACKUPS).rename(data / BACKUPS)
            if noted:
                (data / BACKUPS).mkdir(exist_ok=True, mode=0o700)
                (data / BACKUPS / NOTES).write_text("".join(noted), "ascii")
    except OSError as error:
        raise ProjectError(
            f"the backup cannot be restored ({error}).", where=str(folder), todo="Make room, or mend the folder."
        ) from error
    had_data = any(path.name in {DATABASE, LEDGER_FILE, LOG_FOLDER} for path in kept.iterdir())
    if not had_data:
        shutil.rmtree(kept)
    return Restored(backup=found, kept=kept if had_data else None)


def _noted(*files: Path) -> list[str]:
    """The lines of several notes of erasures, each once."""
    lines = [line for file in files if file.is_file() for line in file.read_text("ascii").splitlines(keepends=True)]
    return list(dict.fromkeys(lines))


def _unused(path: Path) -> Path:
    """The path, or one like it that is not there: two restores may fall into the same second."""
    numbers = itertools.count(2)
    found = path
    while found.exists():
        found = path.with_name(f"{path.name}-{next(numbers)}")
    return found


def _take_back(folder: Path) -> None:
    """Undo what a restore that was cut off did: what was there before has the backups and the notes of erasures."""
    before = sorted(folder.glob(f"{DATA_FOLDER}.before-*"))
    if before:
        before[-1].rename(folder / DATA_FOLDER)


def _copy_back(source: Path, fresh: Path, found: Backup) -> None:
    fresh.mkdir(mode=0o700)
    (fresh / ".gitignore").write_text("*\n", encoding="utf-8")
    for file in found.files:
        if file.path != FILE_NAME:
            target = fresh / file.path
            target.parent.mkdir(exist_ok=True, mode=0o700)
            shutil.copyfile(source / file.path, target)
            target.chmod(0o600)


def prune(backups: Path, keep: int) -> list[Path]:
    """Remove all but the latest backups of a folder; returns those that are gone."""
    made = sorted(path.parent for path in backups.glob(f"*/{_MANIFEST}"))
    gone = made[: max(0, len(made) - keep)]
    for path in gone:
        shutil.rmtree(path)
    return gone


def copy_file(source: Path, target: Path) -> int:
    """Copy a file, and the file of its unfinished changes if there is one; returns bytes."""
    size = 0
    for suffix in ("", ".wal"):
        part = source.with_name(source.name + suffix)
        if part.exists():
            shutil.copyfile(part, target.with_name(target.name + suffix))
            size += part.stat().st_size
    return size
