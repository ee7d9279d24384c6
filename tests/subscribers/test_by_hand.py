"""Staff may vouch for what a reader agreed to, and for nothing else."""

from newsletter.publication.models import Newsletter
from newsletter.subscribers import by_hand, queries
from newsletter.subscribers.addresses import Address
from tests import factories


def test_vouching_does_not_confirm_what_was_only_typed_into_a_form(weekly: Newsletter) -> None:
    daily = factories.newsletter(slug="daily", name="The Daily")
    factories.subscriber("ada@example.com", on=[daily], confirmed_at=None)

    ada = by_hand.vouch(Address("ada@example.com"), [weekly], source="a card at the fair", staff_id=1)

    assert [newsletter.slug for newsletter in ada.newsletters] == ["weekly"]


def test_vouching_for_what_waits_for_confirmation_leaves_a_proof(weekly: Newsletter) -> None:
    factories.subscriber("ada@example.com", on=[weekly], confirmed_at=None)

    ada = by_hand.vouch(Address("ada@example.com"), [weekly], source="a card at the fair", staff_id=1)

    (added,) = queries.history(ada)
    assert isinstance(added, queries.ConsentLine)
    assert (added.newsletters, added.detail["source"]) == (["The Weekly"], "a card at the fair")
