"""The judge of the demo: it must see one message too many, one too few, and one in the wrong hands."""

from pathlib import Path

import pytest

from newsletter.up import demo_check, demo_people, letterbox
from newsletter.up.demo_people import MAIN, NOTES, Fate

DUE = {"ada@example.com", "zoe.o'brien@example.org"}


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    for address in DUE:
        arrive(tmp_path, address)
    return tmp_path


def arrive(inbox: Path, recipient: str, *, to: str = "", mailing: int = 7) -> None:
    content = f"Message-ID: <m{mailing}.abc@example.org>\r\nTo: {to or recipient}\r\nSubject: x\r\n\r\nHello\r\n"
    letterbox.keep(inbox, content.encode(), "mara@example.org", [recipient])


def told(inbox: Path, *, strict: bool = True) -> str:
    return "\n".join(demo_check.differences(inbox, 7, DUE, strict=strict))


def test_one_message_for_each_reader_due_is_well(inbox: Path) -> None:
    assert told(inbox) == ""


def test_a_missing_message_is_named(inbox: Path) -> None:
    for letter in letterbox.letters(inbox, "ada"):
        letter.path.unlink()

    assert "ada@example.com: is due and has no message" in told(inbox)


def test_a_second_message_is_named(inbox: Path) -> None:
    arrive(inbox, "ada@example.com")

    assert "ada@example.com: has 2 messages, by envelope" in told(inbox)


def test_a_message_for_somebody_else_is_named(inbox: Path) -> None:
    arrive(inbox, "linus@example.com")

    assert "linus@example.com: is not due and has a message" in told(inbox)


def test_a_message_in_the_wrong_mailbox_is_named(inbox: Path) -> None:
    for letter in letterbox.letters(inbox, "ada"):
        letter.path.unlink()
    arrive(inbox, "ada@example.com", to="linus@example.com")

    assert "linus@example.com: is not due and has a message, by its To header" in told(inbox)


def test_other_mail_counts_the_first_time_only(inbox: Path) -> None:
    arrive(inbox, "ada@example.com", mailing=8)

    assert "not of this mailing" in told(inbox)
    assert told(inbox, strict=False) == ""


def test_the_people_of_the_demo_are_five_hundred_of_every_kind() -> None:
    people = demo_people.people()

    assert len({person.email.casefold() for person in people}) == len(people) == 500
    assert {person.fate for person in people} == set(Fate)
    assert {person.newsletters for person in people} == {(MAIN,), (NOTES,), (MAIN, NOTES)}
    assert 0 < len(demo_people.due(NOTES)) < len(demo_people.due(MAIN)) < 500
