"""The playbook's file while its project is served: which playbook is in use, and what became of the file since."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

from handraise.errors import ConflictError, HandraiseError, PlaybookError, ProjectError
from handraise.log.disk import Disk
from handraise.playbook.load import FILE_NAME, LoadedPlaybook, load_playbook, parse_playbook
from handraise.warehouse.text_files import cannot_write

_NOT_SERVED = "this project reads its data from your warehouse, so there is nothing to send events to."
_Stamp = tuple[int, int, int] | None


def tag_of(content: bytes) -> str:
    """Names the content of the file; comments count, unlike in the hash that scores carry."""
    return hashlib.sha256(content).hexdigest()[:32]


class PlaybookFile:
    """One project's, looked at again and again: people edit it by hand too.

    Args:
        folder: The project's.

    Raises:
        PlaybookError: It has a mistake.
        ProjectError: It reads its data from a warehouse.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._writing = threading.Lock()
        self._seen = self._stamp()
        self.loaded = _to_be_served(load_playbook(self._path))
        self.refused = ""

    def look(self) -> LoadedPlaybook | None:
        """The playbook that is to be used from now on; None = the one in use still is.

        A file with mistakes changes nothing: `refused` says why until it is mended.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        try:
            found = _to_be_served(load_playbook(self._path))
        except HandraiseError as error:
            self.refused = str(error)
            return None
        self.refused = ""
        return found if found.playbook != self.loaded.playbook else None

    def use(self, loaded: LoadedPlaybook) -> None:
        """Say that scores are made by it from now on."""
        self.loaded = loaded

    def cannot_use(self, error: Exception) -> None:
        """Say that scores could not be made by what the last look gave; it is tried again where that can help."""
        self.refused = str(error)
        if isinstance(error, HandraiseError) and error.retry:
            self._seen = None

    def read(self) -> bytes:
        """What the file holds now.

        Raises:
            ProjectError: It is gone, or may not be read.
        """
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise ProjectError(f"the playbook cannot be read ({error.strerror}).", where=FILE_NAME) from error

    def publish(self, text: str, *, instead_of: str) -> str:
        """Write another playbook into the file, whole or not at all; returns its tag.

        Args:
            text: YAML.
            instead_of: Tag of the content that it was made from.

        Raises:
            ConflictError: The file holds something else by now.
            PlaybookError: The text has a mistake, cannot be served because it reads its data from a warehouse, or sends
                alerts elsewhere.
            ProjectError: The file cannot be written.
        """
        with self._writing:
            if tag_of(self.read()) != instead_of:
                raise ConflictError(
                    "the playbook changed since you read it.",
                    where=FILE_NAME,
                    todo="Read it again, make your change in what it is now, and send that.",
                )
            published = parse_playbook(text, name=FILE_NAME, path=self._path).playbook
            if published.warehouse:
                raise PlaybookError(_NOT_SERVED, where="warehouse.sources", todo="Take `warehouse` out.")
            # They say which secrets of this machine are sent where: that is for those who have the machine.
            if published.alerts != self.loaded.playbook.alerts:
                raise PlaybookError(
                    "where alerts go is changed in the file itself, not from outside.",
                    where="alerts",
                    todo="Leave `alerts` as it is in the playbook that you read.",
                )
            content = text.encode()
            _write_durably(self._path.resolve(), content)
        return tag_of(content)

    def _stamp(self) -> _Stamp:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def check_playbook(text: str) -> LoadedPlaybook:
    """A text as the playbook that it would be.

    Raises:
        PlaybookError: It has a mistake.
    """
    return parse_playbook(text, name=FILE_NAME, path=None)


def _to_be_served(loaded: LoadedPlaybook) -> LoadedPlaybook:
    if loaded.playbook.warehouse:
        raise ProjectError(
            _NOT_SERVED,
            where="warehouse.sources",
            todo="Run `handraise refresh` on a schedule, or serve a project without `warehouse` in handraise.yaml.",
        )
    return loaded


def _write_durably(path: Path, content: bytes) -> None:
    """Whole or not at all, also when the machine loses power; who may read the file stays as it was."""
    try:
        Disk().write_whole(path, content, mode=path.stat().st_mode & 0o777)
    except OSError as error:
        raise cannot_write(path, error) from error
