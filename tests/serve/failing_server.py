"""`handraise serve` on a disk whose n-th write or sync fails, and everything after it until a file `mended` is there."""

import argparse
import errno
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from handraise.faces.server.run import serve  # noqa: E402 - found only now
from log.disks import FailingDisk  # noqa: E402 - likewise


class Tripped(FailingDisk):
    """Works again as soon as a file is there."""

    def __init__(self, fails_at: int, code: int, mended: Path) -> None:
        super().__init__(fails_at, code)
        self._mended = mended

    def _count(self) -> None:
        if self.broken and self._mended.exists():
            self.mend()
        super()._count()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fails-at", type=int, required=True)
    parser.add_argument("--code", default="EIO")
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    disk = Tripped(asked.fails_at, getattr(errno, asked.code), asked.project / "mended")
    say = sys.stdout.write
    serve(
        asked.project,
        host="127.0.0.1",
        port=asked.port,
        said=lambda at: (say(f"at {at}\n"), sys.stdout.flush())[0] and None,
        disk=disk,
    )


if __name__ == "__main__":
    main()
