import pytest
from flask import Flask

from newsletter.publication import settings
from newsletter.publication.models import Newsletter, Publication
from tests import factories

KEN = {"sender_name": "Ken", "sender_email": "ken@letters.example.org"}


@pytest.fixture
def here(app: Flask) -> Publication:
    return factories.publication()


def test_two_newsletters_of_one_name_have_addresses_of_their_own(here: Publication) -> None:
    made = [settings.add_newsletter(here, name="Field Notes & Co.", **KEN) for _ in range(3)]

    assert [newsletter.slug for newsletter in made] == ["field-notes-co", "field-notes-co-2", "field-notes-co-3"]
    assert Newsletter.open() == made


def test_a_newsletter_in_another_script_has_an_address_too(here: Publication) -> None:
    assert settings.add_newsletter(here, name="週報", **KEN).slug == "newsletter"


def test_what_is_refused_is_not_half_done(here: Publication) -> None:
    newsletter = settings.add_newsletter(here, name="Notes", **KEN)

    with pytest.raises(settings.BadSetting) as refusal:
        settings.update_newsletter(newsletter, name="Changed", **{**KEN, "sender_email": "nobody"})

    assert refusal.value.field == "sender_email"
    assert newsletter.name == "Notes"


def test_a_sender_needs_an_address_that_every_mail_server_takes(here: Publication) -> None:
    with pytest.raises(settings.BadSetting):
        settings.add_newsletter(here, name="Notes", sender_name="Ken", sender_email="kén@letters.example.org")

    international = settings.add_newsletter(here, name="Notes", sender_name="Ken", sender_email="ken@bücher.example")

    assert international.sender_email == "ken@xn--bcher-kva.example"


@pytest.mark.slow
def test_the_zones_to_choose_from_can_all_be_chosen(here: Publication) -> None:
    for zone in settings.time_zones():
        settings.update_publication(here, name="Slow Letters", time_zone=zone)

    assert here.zone.key == "UTC"


def test_archiving_twice_is_archiving_once(here: Publication) -> None:
    settings.add_newsletter(here, name="Weekly", **KEN)
    notes = settings.add_newsletter(here, name="Notes", **KEN)

    settings.archive_newsletter(notes)
    first = notes.archived_at
    settings.archive_newsletter(notes)

    assert notes.archived_at == first
    assert [newsletter.name for newsletter in Newsletter.all_of(here)] == ["Weekly", "Notes"]
