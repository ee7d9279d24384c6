"""Readers from a file: who gets in, on what, and who stays out whatever the file says."""

import csv
from collections import Counter
from pathlib import Path
from time import perf_counter

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from newsletter import clock
from newsletter.db import db
from newsletter.imports import run as imports
from newsletter.imports.csv_file import BadFile
from newsletter.imports.newsletters import UnknownNewsletter
from newsletter.imports.run import NoConsent, Order
from newsletter.imports.values import Remark, Result
from newsletter.subscribers import suppression
from newsletter.subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Subscriber,
    SubscriberState,
    Subscription,
    SuppressionReason,
)
from tests import cast, factories

CONSENT = "the paper list at the spring fair 2026"


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> Path:
    """Two newsletters, and a place for files."""
    factories.newsletter()
    factories.newsletter(slug="notes", name="Notes, and More")
    db.session.commit()
    return tmp_path


def enter(
    folder: Path, content: str, *newsletters: str, name: str = "readers.csv"
) -> tuple[Counter[Result], dict[int, Remark]]:
    file = folder / name
    file.write_text(content, newline="")
    remarks: list[Remark] = []
    tally = imports.run(Order(file, CONSENT, newsletters or ("weekly",)), remarks.append, lambda line: None)
    db.session.commit()
    db.session.expire_all()
    return +tally, {remark.line: remark for remark in remarks}


def reader(email: str) -> Subscriber:
    found = Subscriber.by_key(email)
    assert found
    return found


def slugs(email: str) -> list[str]:
    return [newsletter.slug for newsletter in reader(email).newsletters]


def test_readers_arrive_confirmed_with_name_newsletters_and_tags(folder: Path) -> None:
    tally, remarks = enter(
        folder,
        "Email Address;First Name;Last Name;Newsletters;Tags\n"
        "ada@Example.com;Ada;Lovelace;weekly|notes;maths, engines\n"
        'grace@example.com;Grace;;"Notes, and More";\n'
        "ken@example.com;;;;\n",
    )

    assert (tally, remarks) == ({Result.ADDED: 3}, {})
    ada = reader("ada@example.com")
    assert (ada.name, ada.state, [tag.name for tag in ada.tags]) == (
        "Ada Lovelace",
        SubscriberState.ACTIVE,
        ["engines", "maths"],
    )
    assert slugs("ada@example.com") == ["weekly", "notes"]
    assert slugs("grace@example.com") == ["notes"]
    assert slugs("ken@example.com") == ["weekly"]


def test_each_reader_carries_the_proof_of_where_they_agreed(folder: Path) -> None:
    enter(folder, "email\nada@example.com\n")

    proof = db.session.scalars(select(ConsentEvent)).one()
    assert proof.kind is ConsentKind.IMPORTED
    assert proof.newsletter_ids == [newsletter.id for newsletter in reader("ada@example.com").newsletters]
    assert proof.detail == {"source": CONSENT, "file": "readers.csv", "line": 2}


def test_a_second_run_changes_nothing(folder: Path) -> None:
    content = "email,newsletters,tags\nada@example.com,weekly,maths\ngrace@example.com,weekly;notes,\n"
    enter(folder, content)
    before = everything()

    tally, _ = enter(folder, content)

    assert tally == {Result.UNCHANGED: 2}
    assert everything() == before


def test_who_left_stays_left(folder: Path) -> None:
    linus = cast.linus()
    linus.subscriptions[0].left_at = clock.from_local("2026-03-03 09:00", "Europe/Berlin")
    db.session.commit()

    tally, remarks = enter(folder, "email\nlinus@example.com\n", "weekly", "notes")

    assert tally == {Result.KEPT_OUT: 1}
    assert remarks[2].sentence == "Left on 3 March 2026: stays left."
    assert reader("linus@example.com").state is SubscriberState.LEFT


def test_who_left_one_newsletter_gets_only_the_other(folder: Path) -> None:
    enter(folder, "email\nada@example.com\n", "weekly", "notes")
    reader("ada@example.com").subscriptions[0].left_at = clock.now()
    factories.newsletter(slug="books", name="Books")
    db.session.commit()

    tally, remarks = enter(folder, "email\nada@example.com\n", "weekly", "notes", "books")

    assert tally == {Result.EXTENDED: 1}
    assert remarks[2].sentence.startswith("Left The Weekly on ")
    assert slugs("ada@example.com") == ["notes", "books"]


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_a_suppressed_address_never_comes_back(folder: Path, reason: SuppressionReason) -> None:
    suppression.suppress("ada@example.com", reason)
    db.session.commit()

    tally, remarks = enter(folder, "email,name\nADA@example.com,Ada\n")

    assert tally == {Result.KEPT_OUT: 1}
    assert remarks[2].sentence.endswith("is never written to again.")
    assert db.session.scalar(select(func.count()).select_from(Subscriber)) == 0


def test_who_was_asked_and_has_not_answered_stays_unconfirmed(folder: Path) -> None:
    factories.subscriber("ada@example.com", confirmed_at=None)
    db.session.commit()

    _, remarks = enter(folder, "email\nada@example.com\n")

    assert "has not answered" in remarks[2].sentence
    assert reader("ada@example.com").state is SubscriberState.PENDING


def test_a_pause_and_a_name_survive_an_import(folder: Path) -> None:
    tomorrow = clock.now().replace(year=clock.now().year + 1)
    factories.subscriber("ada@example.com", name="Ada", paused_until=tomorrow)
    db.session.commit()

    enter(folder, "email,name\nada@example.com,Somebody Else\n", "notes")

    assert (reader("ada@example.com").name, reader("ada@example.com").state) == ("Ada", SubscriberState.PAUSED)


@pytest.mark.parametrize(
    "column",
    [
        "status\nada@example.com,unsubscribed",
        "subscribed_to_emails\nada@example.com,false",
        "UNSUB_TIME\nada@example.com,2025-01-02",
    ],
)
def test_who_left_elsewhere_does_not_come_in_by_the_side_door(folder: Path, column: str) -> None:
    tally, remarks = enter(folder, f"email,{column}\n")

    assert tally == {Result.REFUSED: 1}
    assert "not to be written to" in remarks[2].sentence


def test_an_address_that_comes_twice_is_one_reader_with_all_that_was_said(folder: Path) -> None:
    tally, remarks = enter(
        folder,
        "email,newsletters,tags\nada@example.com,weekly,maths\nken@example.com,weekly,\nAda@example.com,notes,engines\n",
    )

    assert tally == {Result.ADDED: 2, Result.REPEATED: 1}
    assert remarks[4].sentence == "The same address as in line 2."
    assert slugs("ada@example.com") == ["weekly", "notes"]


def test_an_address_that_comes_again_a_thousand_lines_later_is_the_same_reader(folder: Path) -> None:
    lines = [f"reader{n}@example.com,weekly" for n in range(1500)]
    tally, remarks = enter(folder, "\n".join(["email,newsletters", *lines, "reader0@example.com,notes"]))

    assert tally == {Result.ADDED: 1500, Result.REPEATED: 1}
    assert remarks[1502].sentence == "The same address as in line 2."
    assert slugs("reader0@example.com") == ["weekly", "notes"]


def test_bad_lines_are_refused_one_by_one_with_a_reason(folder: Path) -> None:
    tally, remarks = enter(
        folder,
        "email,name\n"
        "not an address,Ada\n"
        '"ada@example.com","Ada\r\nBcc: everyone@example.com"\n'
        "grace@example.com,Grace,Hopper\n"
        "ken@example.com,Ken\n"
        ",Nobody\n",
    )

    assert tally == {Result.REFUSED: 4, Result.ADDED: 1}
    assert "line break" in remarks[3].sentence
    assert "3 cells" in remarks[5].sentence
    assert set(remarks) == {2, 3, 5, 7}


def test_a_formula_is_only_text(folder: Path) -> None:
    enter(folder, "email,name\nada@example.com,=cmd|' /C calc'!A0\n")

    assert reader("ada@example.com").name == "=cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    "name", ["O'Brien", "Zoë", "李", "Robert'); DROP TABLE subscriber;--", "😀", "<b>bold</b>", "{{name}}"]
)
def test_names_are_kept_as_they_are(folder: Path, name: str) -> None:
    enter(folder, f'email,name\nada@example.com,"{name}"\n')

    assert reader("ada@example.com").name == name


_ADDRESSES = st.sampled_from(
    ["ada@example.com", "Ada@example.com", "ken@example.org", "linus@example.com", "no address", ""]
)
_ROWS = st.lists(
    st.tuples(_ADDRESSES, st.text(st.characters(codec="utf-8"), max_size=12), st.sampled_from(["weekly", "notes", ""]))
)


@given(rows=_ROWS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_rows_a_second_run_changes_nothing(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("email", "name", "newsletters"), *rows])
    content = (folder / "rows.csv").read_bytes().decode()

    first, remarks = enter(folder, content)
    before = everything()
    second, _ = enter(folder, content)

    assert first[Result.REFUSED] == sum(remark.result is Result.REFUSED for remark in remarks.values())
    assert everything() == before
    assert second[Result.ADDED] == second[Result.EXTENDED] == 0
    assert not {"no address", ""} & set(db.session.scalars(select(Subscriber.email)))


def test_an_unknown_newsletter_stops_everything_and_names_the_nearest(folder: Path) -> None:
    with pytest.raises(UnknownNewsletter, match=r"Line 3: There is no newsletter “weekyl”\. Did you mean weekly"):
        enter(folder, "email,newsletters\nada@example.com,weekly\nken@example.com,weekyl\n")
    with pytest.raises(UnknownNewsletter, match="There are: weekly, notes"):
        enter(folder, "email\nada@example.com\n", "zzz")

    assert everything() == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        ("name\nAda\n", "No column is called “email”"),
        ("ada@example.com\nken@example.com\n", "No column is called “email”"),
        ("email,Email Address\n", "Two columns mean the same"),
    ],
)
def test_a_file_without_usable_columns_is_refused(folder: Path, content: str, sentence: str) -> None:
    with pytest.raises(BadFile, match=sentence):
        enter(folder, content)


def test_nobody_is_entered_without_a_word_on_consent(folder: Path) -> None:
    file = folder / "readers.csv"
    file.write_text("email\nada@example.com\n")

    with pytest.raises(NoConsent):
        imports.survey(Order(file, "  ", ("weekly",)))


@pytest.mark.slow
def test_ten_thousand_readers_take_seconds(folder: Path) -> None:
    lines = [f"reader{n}@example.com,Reader {n},some" for n in range(10_000)]
    began = perf_counter()

    tally, _ = enter(folder, "\n".join(["email,name,tags", *lines]))

    assert tally == {Result.ADDED: 10_000}
    assert perf_counter() - began < 20


def everything() -> tuple[int, ...]:
    """How many rows there are of all that an import may write, and the newest of them."""
    return tuple(
        db.session.scalar(select(func.count()).select_from(model)) or 0
        for model in (Subscriber, Subscription, ConsentEvent, Subscriber.tags.property.secondary)
    )
