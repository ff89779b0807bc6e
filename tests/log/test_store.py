"""What was acknowledged is there again after whatever happened; what cannot be read is said, never made up."""

import contextlib
import random
from pathlib import Path

import pytest

from handraise.errors import LogError
from handraise.log.disk import Disk
from handraise.log.frame import Damage, Frame
from handraise.log.segment import is_as_sealed, segments_in
from handraise.log.store import EventLog
from log.disks import FailingDisk, ForgetfulDisk, PowerCutError

SMALL = 64 * 1024
NOW = 1_790_000_000_000_000


def opened(folder: Path, *, disk: Disk | None = None, size: int = SMALL, seed: int = 1) -> EventLog:
    return EventLog(folder, random=random.Random(seed).randbytes, disk=disk, segment_size=size, reserve=0)


def payloads(log: EventLog, position: int = 0) -> list[bytes]:
    return [found.payload for found in log.read(position) if isinstance(found, Frame)]


def damages(log: EventLog) -> list[Damage]:
    return [found for found in log.read(0) if isinstance(found, Damage)]


def written(log: EventLog, count: int, size: int = 300, first: int = 0) -> list[bytes]:
    made = [b"%06d" % n + b"x" * size for n in range(first, first + count)]
    for one in made:
        log.append([(NOW, one)])
    return made


def only_segment(folder: Path) -> Path:
    [segment] = segments_in(folder)[0]
    return segment.path


def test_records_come_back_in_order_over_many_segments(tmp_path: Path) -> None:
    log = opened(tmp_path)
    made = written(log, 700)
    assert payloads(log) == made
    log.close()
    again = opened(tmp_path, seed=2)
    assert payloads(again) == made
    assert again.opened.damaged == ()
    segments, _ = segments_in(tmp_path)
    assert len(segments) > 3
    assert all(is_as_sealed(segment) for segment in segments)
    again.close()


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    log = opened(tmp_path)
    made = written(log, 500)
    position, found = 0, []
    while len(found) < len(made):
        frame = next(f for f in log.read(position) if isinstance(f, Frame))
        found.append(frame.payload)
        position = frame.end
    assert found == made
    assert list(log.read(position)) == []
    log.close()


def test_what_is_not_durable_yet_is_not_read(tmp_path: Path) -> None:
    log = opened(tmp_path, disk=(disk := FailingDisk(0)))
    made = written(log, 3)
    disk.fails_at = disk.calls + 2  # the write goes through, the sync does not
    with pytest.raises(LogError):
        log.append([(NOW, b"never acknowledged")])
    assert payloads(log) == made
    disk.mend()
    log.reopen()
    assert payloads(log) == made
    more = written(log, 2, first=50)
    assert payloads(log) == made + more
    log.close()
    assert payloads(opened(tmp_path, seed=3)) == made + more


def test_a_torn_last_record_is_cut_and_said(tmp_path: Path) -> None:
    log = opened(tmp_path)
    made = written(log, 10)
    path = only_segment(tmp_path)
    last = log.durable
    torn = path.read_bytes()
    path.write_bytes(torn[: last - 100] + bytes(len(torn) - last + 100))  # not closed: as a kill leaves it
    again = opened(tmp_path, seed=2)
    assert payloads(again) == made[:-1]
    assert again.opened.damaged == ()
    assert again.opened.cut > 0
    assert [file.read_bytes() for file in tmp_path.glob("*.cut")]  # kept for whoever wants to look
    assert damages(again) == []
    again.close()


def test_damage_in_the_middle_is_an_alarm_and_the_rest_is_kept(tmp_path: Path) -> None:
    log = opened(tmp_path)
    made = written(log, 10)
    frames = [found for found in log.read(0) if isinstance(found, Frame)]
    path = only_segment(tmp_path)
    content = bytearray(path.read_bytes())
    content[frames[4].position + 60] ^= 1
    path.write_bytes(content)
    again = opened(tmp_path, seed=2)
    assert again.opened.damaged == (Damage(position=frames[4].position, end=frames[4].end),)
    assert payloads(again) == made[:4] + made[5:]
    assert damages(again) == list(again.opened.damaged)
    again.close()


def test_damage_of_a_sealed_segment_is_found_when_it_is_read(tmp_path: Path) -> None:
    log = opened(tmp_path)
    made = written(log, 300)
    log.close()
    segment = segments_in(tmp_path)[0][0]
    content = bytearray(segment.path.read_bytes())
    content[1000] ^= 0x10
    segment.path.write_bytes(content)
    assert not is_as_sealed(segment)
    again = opened(tmp_path, seed=2)
    assert payloads(again) == made[:2] + made[3:]
    assert len(damages(again)) == 1
    again.close()


def test_a_segment_that_is_gone_is_damage(tmp_path: Path) -> None:
    log = opened(tmp_path)
    written(log, 700)
    log.close()
    gone = segments_in(tmp_path)[0][1]
    size = gone.path.stat().st_size
    gone.path.unlink()
    again = opened(tmp_path, seed=2)
    assert damages(again) == [Damage(position=gone.start, end=gone.start + size)]
    again.close()


def test_pages_that_reached_the_disk_out_of_order_are_no_damage(tmp_path: Path) -> None:
    """One group: its first record is lost, its second is there. Nobody was told about either."""
    log = opened(tmp_path)
    made = written(log, 5)
    durable = log.durable
    log.append([(NOW, b"a" * 200), (NOW, b"b" * 200)])
    path = only_segment(tmp_path)
    content = bytearray(path.read_bytes())
    content[durable : durable + 100] = bytes(100)
    path.write_bytes(content)
    again = opened(tmp_path, seed=2)
    assert payloads(again) == made
    assert again.opened.damaged == ()
    again.close()


def test_bytes_in_a_payload_that_look_like_a_record_are_none(tmp_path: Path) -> None:
    log = opened(tmp_path)
    written(log, 1)
    inner = next(log.read(0))
    assert isinstance(inner, Frame)
    forged = only_segment(tmp_path).read_bytes()[inner.position : inner.end]
    other = opened(tmp_path / "other", seed=9)
    other.append([(NOW, b"head " + forged + b" tail")])
    other.append([(NOW, b"after")])
    frames = [found for found in other.read(0) if isinstance(found, Frame)]
    path = only_segment(tmp_path / "other")
    content = bytearray(path.read_bytes())
    content[frames[0].position + 33] ^= 1
    path.write_bytes(content)
    assert payloads(opened(tmp_path / "other", seed=10)) == [b"after"]


@pytest.mark.parametrize("fails_at", range(1, 40))
def test_whichever_call_fails_nothing_is_acknowledged_before_the_log_is_opened_again(
    tmp_path: Path, fails_at: int
) -> None:
    log = opened(tmp_path, disk=(disk := FailingDisk(fails_at)), size=4096)
    acknowledged = []
    for n in range(30):
        record = b"%04d" % n + b"y" * 500
        try:
            log.append([(NOW, record)])
        except LogError:
            with pytest.raises(LogError):
                log.reopen()
            disk.mend()
            log.reopen()
        else:
            acknowledged.append(record)
    assert len(acknowledged) == 29 + (disk.calls < fails_at)
    assert payloads(log) == acknowledged
    log.close()
    again = opened(tmp_path, seed=2, size=4096)
    assert payloads(again) == acknowledged
    assert again.opened.damaged == ()


@pytest.mark.parametrize("seed", range(80))
def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path, seed: int) -> None:
    """The power goes at some sync, whichever it is; of what was not synced, any page may be there or not."""
    chance = random.Random(seed)
    acknowledged: list[bytes] = []
    for life in range(4):
        disk = ForgetfulDisk(dies_at=chance.randrange(2, 60))
        with contextlib.suppress(PowerCutError):
            log = EventLog(tmp_path, random=chance.randbytes, disk=disk, segment_size=SMALL, reserve=0)
            known = set(acknowledged)
            assert [payload for payload in payloads(log) if payload in known] == acknowledged
            assert log.opened.damaged == ()
            for n in range(200):
                group = [b"%d-%d-%d " % (life, n, k) + chance.randbytes(chance.randrange(5000)) for k in range(3)]
                log.append([(NOW, one) for one in group])
                acknowledged += group
                log.prepare()
        disk.power_cut(chance)


def test_a_segment_whose_beginning_never_reached_the_disk_held_nothing(tmp_path: Path) -> None:
    log = opened(tmp_path)
    made = written(log, 5)
    log.close()
    (tmp_path / f"{log.durable:020d}.log").write_bytes(bytes(SMALL))
    again = opened(tmp_path, seed=2)
    assert again.opened.damaged == ()
    assert payloads(again) == made
    again.close()


def test_a_segment_whose_beginning_is_damaged_is_set_aside_and_kept(tmp_path: Path) -> None:
    log = opened(tmp_path)
    made = written(log, 300)
    log.close()
    first, second = (segment.path for segment in segments_in(tmp_path)[0][:2])
    content = first.read_bytes()
    first.write_bytes(b"?" + content[1:])
    again = opened(tmp_path, seed=2)
    assert again.opened.damaged == (Damage(position=0, end=len(content)),)
    assert payloads(again) == made[made.index(payloads(again)[0]) :]
    assert damages(again)[0].end == int(second.stem)
    assert first.with_suffix(".damaged").stat().st_size == len(content)
    again.close()


def test_below_the_reserve_nothing_is_written_and_it_goes_on_by_itself(tmp_path: Path) -> None:
    class Full(Disk):
        left = 0

        def free(self, folder: Path) -> int:
            return super().free(folder) if self.left < 0 else self.left

    disk = Full()
    log = EventLog(tmp_path, random=random.Random(1).randbytes, disk=disk, segment_size=SMALL, reserve=SMALL)
    with pytest.raises(LogError, match="room"):
        log.append([(NOW, b"x")])
    disk.left = -1
    log.reopen()
    assert log.append([(NOW, b"x")]) == log.durable
    assert payloads(log) == [b"x"]
    log.close()


def test_a_record_can_lose_content_and_keeps_its_place(tmp_path: Path) -> None:
    log = opened(tmp_path)
    made = written(log, 700)
    places = [found.position for found in log.read(0)]
    log.close_segment()

    def without_secrets(payload: bytes, _: int) -> bytes | None:
        return b"gone" if payload.startswith((b"000003", b"000400")) else None

    assert log.rewrite(without_secrets) == 2
    wanted = [b"gone" if n in {3, 400} else one for n, one in enumerate(made)]
    assert payloads(log) == wanted
    more = written(log, 3, first=900)
    log.close()
    again = opened(tmp_path, seed=2)
    assert payloads(again) == wanted + more
    assert [found.position for found in again.read(0)][:700] == places
    assert all(is_as_sealed(segment) for segment in segments_in(tmp_path)[0])
    assert not any(b"000003" in file.read_bytes() for file in tmp_path.iterdir())
    again.close()


def test_old_segments_can_be_dropped(tmp_path: Path) -> None:
    log = opened(tmp_path)
    written(log, 700)
    middle = segments_in(tmp_path)[0][2].start
    assert log.drop_before(middle) == 2
    assert log.start == middle
    assert damages(log) == []
    log.close()
    again = opened(tmp_path, seed=2)
    assert damages(again) == []
    assert len(payloads(again)) < 700
    again.close()


def test_what_a_cut_off_rewrite_left_beside_a_segment_goes_with_the_next_start(tmp_path: Path) -> None:
    log = opened(tmp_path)
    made = written(log, 3)
    log.close()
    only_segment(tmp_path).with_suffix(".tmp").write_bytes(b"somebody who is erased later")
    again = opened(tmp_path, seed=2)
    assert list(tmp_path.glob("*.tmp")) == []
    assert payloads(again) == made
    again.close()
