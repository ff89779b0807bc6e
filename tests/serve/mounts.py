"""File systems of a test's own: an image file, mounted; skipped where that is not allowed."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

# A new segment of 64 MB, a spare one, the data file and the reserve of 512 MB have to fit.
SIZE = 1200 << 20


def made_image(path: Path, size: int = SIZE) -> Path:
    """A sparse file with an ext4 in it."""
    make = shutil.which("mkfs.ext4") or "/usr/sbin/mkfs.ext4"
    if not Path(make).exists():
        pytest.skip("there is no mkfs.ext4 here; tests/log simulates the disk")
    with path.open("wb") as file:
        file.truncate(size)
    subprocess.run([make, "-q", "-F", "-m", "0", str(path)], check=True)  # noqa: S603
    return path


@contextlib.contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    """The file system of an image; its journal is written by syncs alone, so that nothing else saves what was not."""
    folder.mkdir(exist_ok=True)
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if not mount or not unmount:
        pytest.skip("there is no mount here; tests/log simulates the disk")
    done = subprocess.run(  # noqa: S603
        [mount, "-o", "loop,commit=300", str(image), str(folder)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"an image may not be mounted here ({done.stderr.strip()}); tests/log simulates the disk")
    try:
        yield folder
    finally:
        subprocess.run([unmount, str(folder)], check=True)  # noqa: S603
