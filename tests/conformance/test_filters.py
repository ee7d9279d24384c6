"""What programs that sort mail make of our letters: a spam filter, an absent reader's script, a filter for copies."""

from pathlib import Path

import pytest

from tests.conformance import asking, letters
from tests.conformance.conftest import Run
from tests.conformance.exceptions import HARMLESS, OF_THE_PLACE
from tests.conformance.verdicts import Told
from tests.doubles import text_of
from tests.emails.samples import ADA, read

pytestmark = pytest.mark.judges

WORST = 2.0
WORST_IN_A_RUN = 3.0  # whose site is a bare number, which costs points of its own
ALLOWED = set(OF_THE_PLACE) | set(HARMLESS)
SPAM = b"From: a@b\r\nTo: x\r\nSubject: BUY VIAGRA NOW!!!\r\nContent-Type: text/html\r\n\r\n<p>Viagra, 100% free"
PLAIN = (
    b"From: Ken <ken@example.org>\r\nTo: ada@example.com\r\nSubject: Lunch\r\nMessage-ID: <lunch@example.org>\r\n"
    b"Date: Sun, 22 Nov 2026 08:00:00 +0000\r\n\r\nToday?\r\n"
)


@pytest.mark.slow
@pytest.mark.verdict("SpamAssassin", "under 2 points, and no rule hit but those below")
def test_spamassassin_gives_no_letter_two_points(tmp_path: Path, told: Told) -> None:
    said = asking.spamassassin(tmp_path, {letter.name: letter.raw for letter in letters.every()})
    told.judged(said)
    told.points = {name: points for name, (points, _) in said.items()}
    told.figures = f"at most {max(told.points.values()):.1f} points"

    assert {name: rules - ALLOWED for name, (_, rules) in said.items() if rules - ALLOWED} == {}
    assert {name: points for name, points in told.points.items() if points >= WORST} == {}


@pytest.mark.journey
@pytest.mark.verdict("SpamAssassin", "a real run: under 3 points, and no rule hit but those below")
def test_spamassassin_finds_nothing_to_object_to(run: Run, tmp_path: Path, told: Told) -> None:
    said = asking.spamassassin(tmp_path, {message.name: message.raw for message in run.one_of_each()})
    told.judged(said)
    told.figures = f"at most {max(points for points, _ in said.values()):.1f} points"

    for name, (points, rules) in said.items():
        assert points < WORST_IN_A_RUN, (name, rules)
        assert rules - ALLOWED == set(), name


@pytest.mark.verdict("SpamAssassin")
def test_spamassassin_is_awake(tmp_path: Path) -> None:
    (points, rules) = asking.spamassassin(tmp_path, {"spam": SPAM})["spam"]

    assert points > WORST_IN_A_RUN
    assert "MIME_HTML_ONLY" in rules


@pytest.mark.verdict("Sieve vacation", "nobody who is away answers")
def test_the_script_of_an_absent_reader_does_not_answer(told: Told) -> None:
    told.judged(letters.names())

    answered = [letter.name for letter in letters.every() if asking.answers_while_away(letter.raw, ADA.address)]

    assert answered == []


@pytest.mark.verdict("Sieve vacation")
def test_the_same_script_answers_a_person_and_a_letter_without_our_headers() -> None:
    (letter, *_) = letters.every()
    bare = read(letter.raw)
    for name in (
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "Precedence",
        *[key for key in bare if key.startswith("List-")],
    ):
        del bare[name]

    assert "in your inbox" in text_of(bare)  # it is still the letter
    assert asking.answers_while_away(PLAIN, ADA.address)
    assert asking.answers_while_away(bare.as_bytes(), ADA.address)


@pytest.mark.verdict("reformail", "a letter sent again is a copy, the same letter to another reader is none")
def test_a_second_try_is_a_copy_and_another_reader_none(tmp_path: Path, told: Told) -> None:
    told.judged(letters.names())

    for number, letter in enumerate(letters.every()):
        known = tmp_path / str(number)
        hers = letter.signed.splice(letters.GRACE)
        assert not asking.is_duplicate(letter.raw, known), letter.name
        assert not asking.is_duplicate(hers, known), letter.name
        assert asking.is_duplicate(letter.signed.splice(ADA), known), letter.name
        assert asking.is_duplicate(hers, known), letter.name


@pytest.mark.verdict("reformail")
def test_a_second_try_with_a_name_of_its_own_is_no_copy(tmp_path: Path) -> None:
    (letter, *_) = letters.every()
    renamed = letter.raw.replace(f"<{ADA.message_id}@".encode(), b"<another@", 1)

    assert renamed != letter.raw
    assert not asking.is_duplicate(letter.raw, tmp_path / "known")
    assert not asking.is_duplicate(renamed, tmp_path / "known")
