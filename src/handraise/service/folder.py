"""A project's folder: the playbook that makes it one, and the data folder in it."""

from __future__ import annotations

from pathlib import Path

from handraise.errors import ProjectError
from handraise.playbook.load import FILE_NAME, template_text
from handraise.warehouse.text_files import write_whole

DATA_FOLDER = ".handraise"
DATABASE = "warehouse.duckdb"
LOG_FOLDER = "log"
# A data file that is about to take the place of the other.
FRESH = f"{DATABASE}.fresh"
# Beside the data folder while a backup is being put in its place.
RESTORING = f"{DATA_FOLDER}.restoring"


def create_project(folder: Path, text: str | None = None, *, check_only: bool = False) -> Path:
    """Write a playbook into a folder; returns the file.

    Args:
        folder: Made if it is not there.
        text: The playbook; None = the built-in template.
        check_only: Only see that there is no playbook yet.

    Raises:
        ProjectError: There is a playbook already, or the folder cannot be written.
    """
    file = folder / FILE_NAME
    if file.exists():
        raise ProjectError("there is a playbook already.", where=str(file), todo="Edit it, or choose another folder.")
    if check_only:
        return file
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"the folder cannot be written ({error}).",
            where=str(folder),
            todo="Give yourself the right to, or choose another.",
        ) from error
    write_whole(file, template_text() if text is None else text)
    return file


def check_is_project(folder: Path) -> None:
    """Refuse a folder without a playbook.

    Raises:
        ProjectError: It has none.
    """
    file = folder / FILE_NAME
    if not file.is_file():
        raise ProjectError(
            f"there is no {FILE_NAME} here, so this is not a handraise project.",
            where=str(folder),
            todo=f"{FILE_NAME} is a folder here: rename it."
            if file.is_dir()
            else f"Run `handraise init {folder}`, or name another folder with --project.",
        )


def make_data_folder(data: Path) -> None:
    """Make the folder of a project's data if it is not there.

    Raises:
        ProjectError: It cannot be written, or is missing because a restore was cut off.
    """
    if not data.exists() and data.with_name(RESTORING).exists():
        # With a new folder, all keys would be unknown, and senders would be told to give up.
        raise ProjectError(
            "a restore was cut off, and the project has no data at the moment.",
            where=str(data),
            todo="Run `handraise restore` again.",
        )
    try:
        data.mkdir(exist_ok=True, mode=0o700)
        (data / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise ProjectError(
            f"the data folder cannot be written ({error}).",
            where=str(data),
            todo="handraise keeps what it loads and scores there: give yourself the right to write it.",
        ) from error


def remove_data(data: Path) -> None:
    """Remove the data file of a data folder, and its unfinished changes."""
    for name in (DATABASE, f"{DATABASE}.wal"):
        (data / name).unlink(missing_ok=True)
