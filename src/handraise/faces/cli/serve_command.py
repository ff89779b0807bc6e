"""What `handraise serve` does. Apart from other commands: a refusal need not wait for what these load."""

from __future__ import annotations

from pathlib import Path

from handraise.service.folder import DATA_FOLDER
from handraise.service.ownership import check_is_free


def serve_project(folder: Path, *, host: str, port: int, allowed_hosts: list[str], memory: str) -> None:
    """`handraise serve`."""
    check_is_free(folder / DATA_FOLDER)
    from handraise.faces.cli import show
    from handraise.faces.server.run import serve as run_server

    def said(address: str) -> None:
        show.say(f"Serving {folder.resolve()} at {address}. Ctrl-C stops it; nothing that was acknowledged is lost.")
        show.say(
            "`handraise sources key NAME` makes a write key for a tracking library; docs/sdks.md shows how to use it."
        )

    run_server(folder, host=host, port=port, said=said, allowed_hosts=allowed_hosts, memory=memory)
    show.say("Stopped. Everything that was acknowledged is stored.")
