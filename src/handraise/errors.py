"""One small tree of errors: what happened, where, what to do next, and whether trying again can help."""

from __future__ import annotations


class HandraiseError(Exception):
    """Something was refused or failed; the message is written for the person who runs the command.

    Args:
        what: What happened, one sentence.
        where: File, line, key or table it happened at; empty when there is no such place.
        todo: What to do next; empty when nothing can be done.
    """

    retry = False

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        """Keep the three parts apart, so that faces can lay them out."""
        self.what = what
        self.where = where
        self.todo = todo
        super().__init__(" ".join(part for part in (f"{where}:" if where else "", what, todo) if part))


class PlaybookError(HandraiseError):
    """The playbook, or a file of its examples, cannot be used; nothing of it was loaded.

    Args:
        what: As above.
        where: As above.
        todo: As above.
        mistakes: Each by itself where there are several; the error as a whole then says them all.
    """

    def __init__(self, what: str, *, where: str = "", todo: str = "", mistakes: tuple[PlaybookError, ...] = ()) -> None:
        """Keep the mistakes apart, so that machines can point at each line."""
        super().__init__(what, where=where, todo=todo)
        self.mistakes = mistakes or (self,)


class InputError(HandraiseError):
    """A file or folder cannot be read as input; no row of it was stored."""


class AsOfError(HandraiseError):
    """The instant asked for is not one that scores exist for."""


class ProjectError(HandraiseError):
    """The folder is not a project, or its files cannot be used."""


class BusyError(HandraiseError):
    """Another process has the project's data open."""

    retry = True


class LogError(HandraiseError):
    """The event log cannot be written, so nothing that was sent since is stored."""

    retry = True


class EngineError(HandraiseError):
    """A step failed in the engine; its SQL is quoted."""


class NoRoomError(EngineError):
    """The disk or the memory is full; what was stored before the step is kept."""

    retry = True


class ConflictError(HandraiseError):
    """Somebody else changed it in the meantime, so the change was not made."""


class DraftError(HandraiseError):
    """A template has a mistake, or a draft may not be used; nothing was written and nothing approved."""


class NotFoundError(HandraiseError):
    """Nothing has this id: no person or account, or no source, key, job or row of quarantine."""


class LedgerError(HandraiseError):
    """The ledger cannot be opened or used, or refused a change; nothing of that change is kept.

    Args:
        what: As above.
        where: As above.
        todo: As above.
        retry: The same call can work later: a full disk, a server that is away, somebody else at work.
    """

    def __init__(self, what: str, *, where: str = "", todo: str = "", retry: bool = False) -> None:
        """Say of this one failure whether trying again can help."""
        super().__init__(what, where=where, todo=todo)
        self.retry = retry


class AddressError(HandraiseError):
    """An address may not be called: it is not written plainly, or leads to a network that is not public. Nothing was sent."""


class RemoteError(HandraiseError):
    """Another server was not reached, or did not answer as it should.

    Args:
        what: As above.
        where: As above.
        todo: As above.
        retry: The same call can work later.
        unsent: Nothing of the request can have reached it; otherwise it may have done what was asked.
    """

    def __init__(self, what: str, *, where: str = "", todo: str = "", retry: bool = True, unsent: bool = False) -> None:
        """Say whether trying again can help, and whether it could do something twice."""
        super().__init__(what, where=where, todo=todo)
        self.retry = retry
        self.unsent = unsent


def reason_of(error: OSError | UnicodeDecodeError) -> str:
    """Why a text cannot be read, in words."""
    return "it is no UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
