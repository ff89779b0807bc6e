"""Text files, written whole or not at all. Apart from result files, which need an engine: every command writes such a text."""

from __future__ import annotations

import contextlib
from pathlib import Path

from handraise.errors import ProjectError


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a text file, or one that is no text, whole or not at all.

    Raises:
        ProjectError: It cannot be written; what was there before is still there.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        unfinished.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def cannot_write(path: Path, error: Exception) -> ProjectError:
    """A file cannot be written."""
    return ProjectError(
        f"the file cannot be written ({error}).",
        where=str(path),
        todo="Check that its folder is there and may be written, and that the disk is not full.",
    )
