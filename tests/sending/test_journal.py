"""What a sending process leaves on its disk, and what is known from it when the process is gone."""

import pytest

from newsletter.sending import journal
from newsletter.sending.journal import Answer, Journal, PutOff
from newsletter.sending.models import Outcome

pytestmark = pytest.mark.usefixtures("settings")

ACCEPTED = Answer(1, Outcome.ACCEPTED, "250 ok", 7)


def die_in_the_middle(token: str, *, torn: bytes = b"") -> None:
    """A process that answered reader 1, put off reader 2 and was handing over to reader 3."""
    written = Journal(token)
    written.handing_over(1, 7)
    written.answered(ACCEPTED)
    written.answered(PutOff(2, "451 later"))
    written.handing_over(3, 7)
    written.close(forget=False)
    with journal._path(token).open("ab") as file:
        file.write(torn)


def test_what_was_answered_is_known_and_what_was_not_is_in_doubt() -> None:
    die_in_the_middle("a-dead-claim")

    told = journal.replay("a-dead-claim")

    assert told.answers == [ACCEPTED]
    assert told.put_off == [PutOff(2, "451 later")]
    assert told.in_doubt == [3]


def test_a_line_cut_off_by_the_crash_is_no_line() -> None:
    die_in_the_middle("a-torn-claim", torn=b'["A", 3, "acc')

    assert journal.replay("a-torn-claim").in_doubt == [3]


def test_a_claim_without_a_journal_handed_nothing_over() -> None:
    told = journal.replay("never-began")
    assert (told.answers, told.put_off, told.in_doubt) == ([], [], [])
    assert not journal.is_abandoned("never-began")


def test_a_journal_is_abandoned_only_when_its_process_is_gone() -> None:
    with Journal("a-living-claim"):
        assert not journal.is_abandoned("a-living-claim")

    die_in_the_middle("an-abandoned-claim")
    assert journal.is_abandoned("an-abandoned-claim")


def test_it_is_forgotten_only_when_all_went_well() -> None:
    with Journal("a-good-claim") as written:
        written.handing_over(1, None)
    assert not journal.is_abandoned("a-good-claim")

    with pytest.raises(RuntimeError), Journal("a-broken-claim"):
        raise RuntimeError("the database is away")
    assert journal.is_abandoned("a-broken-claim")


def test_a_disk_has_one_name_for_ever() -> None:
    first = journal.host()
    journal.host.cache_clear()
    assert journal.host() == first
