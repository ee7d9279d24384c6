"""What a sending process leaves on its disk, and what is known from it when the process is gone."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from newsletter.sending import journal
from newsletter.sending.journal import Answer, Journal, PutOff
from newsletter.sending.models import Outcome

pytestmark = pytest.mark.usefixtures("settings")

ACCEPTED = Answer(1, Outcome.ACCEPTED, "250 ok", 7)


def die_in_the_middle(*, torn: bytes = b"") -> str:
    """A process that answered reader 1, put off reader 2 and was handing over to reader 3; returns its token."""
    written = Journal()
    written.handing_over(1, 7)
    written.answered(ACCEPTED)
    written.answered(PutOff(2, "451 later"))
    written.handing_over(3, 7)
    written.close(forget=False)
    path = journal.folder() / f"{written.token}.log"
    lines, _, room = path.read_bytes().partition(b"\0" * 64)
    path.write_bytes(lines + torn + bytes(64) + room[len(torn) :])
    return written.token


def test_what_was_answered_is_known_and_what_was_not_is_in_doubt() -> None:
    told = journal.replay(die_in_the_middle())

    assert told.is_complete
    assert told.answers == [ACCEPTED]
    assert told.put_off == [PutOff(2, "451 later")]
    assert told.in_doubt == [3]


def test_what_was_kept_back_at_the_last_moment_has_not_left() -> None:
    held = Journal()
    held.handing_over(1, 7)
    held.write(journal.kept_back(1))
    held.close(forget=False)

    told = journal.replay(held.token)
    assert (told.is_complete, told.answers, told.in_doubt) == (True, [], [])


def test_a_line_cut_off_by_the_crash_is_no_line() -> None:
    assert journal.replay(die_in_the_middle(torn=b'["A", 3, "acc')).in_doubt == [3]


def test_a_journal_that_is_gone_tells_nothing_and_says_so() -> None:
    told = journal.replay("another-machine")
    assert (told.is_complete, told.answers, told.put_off, told.in_doubt) == (False, [], [], [])
    assert not journal.is_abandoned("another-machine")


def test_a_journal_is_abandoned_only_when_its_process_is_gone() -> None:
    with Journal() as living:
        assert not journal.is_abandoned(living.token)

    assert journal.is_abandoned(die_in_the_middle())


def test_it_grows_with_what_is_written_and_loses_nothing() -> None:
    long = Journal()
    for reader_id in range(3000):
        long.answered(Answer(reader_id, Outcome.ACCEPTED, "250 2.0.0 Ok: queued as 4jZNG14Rsmz1WmxL", 7))
        long.handing_over(reader_id + 3000, 7)
    long.close(forget=False)

    told = journal.replay(long.token)
    assert [answer.reader_id for answer in told.answers] == list(range(3000))
    assert told.in_doubt == list(range(3000, 6000))


def test_whoever_reads_it_in_between_never_finds_less_than_before() -> None:
    """A process may be killed at any moment: what was once written counts from then on."""
    living = Journal()
    watch = """if True:
        import struct, sys
        file, most = open(sys.argv[1], "rb", buffering=0), 0
        print("watching", flush=True)
        while True:
            file.seek(8)
            length = struct.unpack("@Q", file.read(8))[0]
            if length < most:
                sys.exit(f"{length} after {most}")
            most = length
            if length > 4_000_000:
                break
    """
    path = str(journal.folder() / f"{living.token}.log")
    with subprocess.Popen(
        [sys.executable, "-c", watch, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as watcher:
        assert watcher.stdout
        watcher.stdout.readline()
        written = 0
        while written <= 4_000_000:
            written += len(journal.handed_over(7, 7))
            living.handing_over(7, 7)
        _, said = watcher.communicate(timeout=60)
    living.close(forget=True)
    assert (watcher.returncode, said) == (0, b"")


def test_a_closed_one_is_nobodys() -> None:
    held = Journal()
    for reader_id in range(2000):
        held.handing_over(reader_id, 7)  # it has grown: none of its memories may hold the lock
    held.close(forget=False)

    assert journal.is_abandoned(held.token)


def test_several_threads_write_whole_lines() -> None:
    shared = Journal()
    with ThreadPoolExecutor(4) as carriers:
        carriers.map(lambda reader_id: shared.handing_over(reader_id, 7), range(4000))
    shared.close(forget=False)

    assert sorted(journal.replay(shared.token).in_doubt) == list(range(4000))


def test_who_writes_sees_that_it_was_sealed_and_who_sealed_it_sees_what_was_written() -> None:
    with Journal() as held:
        held.handing_over(1, 7)
        assert not held.is_sealed

        journal.seal(held.token)

        assert held.is_sealed
        assert journal.replay(held.token).in_doubt == [1]
        held.handing_over(2, 7)  # it looks after it has written: this one is told of, and does not leave
        assert held.is_sealed


def test_what_is_no_journal_tells_nothing_and_is_left_as_it_is() -> None:
    path = journal.folder() / "other.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'["H", 1, 7]\n')

    journal.seal("other")

    assert path.read_bytes() == b'["H", 1, 7]\n'
    assert (journal.replay("other").is_complete, journal.replay("other").in_doubt) == (False, [])


def test_it_is_forgotten_only_when_all_went_well() -> None:
    with Journal() as good:
        good.handing_over(1, None)
    assert not journal.replay(good.token).is_complete

    broken = Journal()
    with pytest.raises(RuntimeError), broken:
        raise RuntimeError("the database is away")
    assert journal.is_abandoned(broken.token)


def test_a_disk_has_one_name_for_ever() -> None:
    first = journal.host()
    journal.host.cache_clear()
    assert journal.host() == first
