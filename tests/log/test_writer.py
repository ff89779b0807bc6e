"""Many at once wait for one sync; too much is refused; a failure tells everybody who waited."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from handraise.errors import LogError
from handraise.log.disk import Disk
from handraise.log.frame import Frame
from handraise.log.segment import segments_in
from handraise.log.store import EventLog
from handraise.log.writer import GroupWriter
from log.disks import FailingDisk


class CountingDisk(Disk):
    """Counts syncs, each as slow as the test lets it be."""

    def __init__(self) -> None:
        self.syncs = 0
        self.go = threading.Event()
        self.go.set()

    def sync(self, descriptor: int) -> None:
        self.syncs += 1
        self.go.wait(5)
        super().sync(descriptor)


def opened(folder: Path, disk: Disk) -> EventLog:
    return EventLog(folder, random=random.Random(1).randbytes, disk=disk, segment_size=1 << 20, reserve=0)


class Told:
    """Collects what became of each record."""

    def __init__(self) -> None:
        self.results: dict[bytes, LogError | None] = {}
        self._changed = threading.Condition()

    def about(self, payload: bytes) -> Callable[[LogError | None], None]:
        def done(error: LogError | None) -> None:
            with self._changed:
                self.results[payload] = error
                self._changed.notify()

        return done

    def wait(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.results) >= count, 5)


def test_what_waits_together_is_synced_once(tmp_path: Path) -> None:
    disk, told = CountingDisk(), Told()
    log = opened(tmp_path, disk)
    writer = GroupWriter(log)
    assert writer.submit(1, b"first", told.about(b"first"))
    told.wait(1)
    before = disk.syncs
    disk.go.clear()
    for n in range(200):
        assert writer.submit(1, b"%d" % n, told.about(b"%d" % n))
    disk.go.set()
    told.wait(201)
    assert set(told.results.values()) == {None}
    assert disk.syncs - before <= 2
    writer.close()
    assert sum(isinstance(found, Frame) for found in log.read(0)) == 201


def test_more_than_may_wait_is_refused(tmp_path: Path) -> None:
    disk, told = CountingDisk(), Told()
    writer = GroupWriter(opened(tmp_path, disk), most_waiting=1000)
    disk.go.clear()
    taken = sum(writer.submit(1, b"x" * 100, told.about(b"%d" % n)) for n in range(100))
    assert 10 <= taken <= 20  # one group is being written, ten records wait
    disk.go.set()
    told.wait(taken)
    writer.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_failure_is_told_to_everybody_and_writing_goes_on_by_itself(tmp_path: Path) -> None:
    disk, told, news = FailingDisk(0), Told(), []
    log = opened(tmp_path, disk)
    changed = threading.Event()

    def tell(error: LogError | None) -> None:
        news.append(error)
        changed.set()

    writer = GroupWriter(log, told=tell)
    writer.submit(1, b"kept", told.about(b"kept"))
    told.wait(1)
    disk.fails_at = disk.calls + 2
    writer.submit(1, b"lost", told.about(b"lost"))
    told.wait(2)
    assert isinstance(told.results[b"lost"], LogError)
    assert changed.wait(5)
    assert not writer.submit(1, b"refused", told.about(b"refused"))
    changed.clear()
    disk.mend()
    assert changed.wait(5)
    assert news[-1] is None
    assert writer.submit(1, b"after", told.about(b"after"))
    told.wait(3)
    writer.close()
    assert [f.payload for f in log.read(0) if isinstance(f, Frame)] == [b"kept", b"after"]


def test_a_new_segment_begins_where_it_is_asked_for(tmp_path: Path) -> None:
    told = Told()
    log = opened(tmp_path, Disk())
    writer = GroupWriter(log)
    writer.submit(1, b"before", told.about(b"before"))
    told.wait(1)
    writer.rotate()
    writer.submit(1, b"after", told.about(b"after"))
    told.wait(2)
    assert len(segments_in(tmp_path)[0]) == 2
    writer.close()
    assert [f.payload for f in log.read(0) if isinstance(f, Frame)] == [b"before", b"after"]


def test_a_new_segment_can_begin_while_nothing_can_be_written(tmp_path: Path) -> None:
    disk, told, failed = FullDisk(), Told(), threading.Event()
    log = opened(tmp_path, disk)
    writer = GroupWriter(log, told=lambda error: failed.set() if error else None)
    writer.submit(1, b"kept", told.about(b"kept"))
    told.wait(1)
    disk.full = True
    writer.submit(1, b"lost", told.about(b"lost"))
    assert failed.wait(5)
    rotating = threading.Thread(target=writer.rotate)
    rotating.start()
    rotating.join(5)
    over = not rotating.is_alive()
    assert log.rewrite(lambda _, __: b"") == 1
    disk.full = False
    rotating.join()
    writer.close()
    assert over, "an erasure would wait until somebody makes room"


class FullDisk(Disk):
    """Has no room as long as it is said to be full."""

    full = False

    def free(self, folder: Path) -> int:
        return 0 if self.full else super().free(folder)


def test_whatever_goes_wrong_nobody_waits_for_ever(tmp_path: Path) -> None:
    told = Told()
    writer = GroupWriter(opened(tmp_path, Disk()))
    writer.submit(2**70, b"no such time", told.about(b"no such time"))
    told.wait(1)
    assert isinstance(told.results[b"no such time"], LogError)
    writer.close()
