"""Who pays there is a reader here: found by what we noted, or by their address, and made where there is none."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from newsletter import clock
from newsletter.billing.models import Account, Customer
from newsletter.billing.values import Payer
from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.subscribers import consent, signup
from newsletter.subscribers.addresses import Address, BadAddress
from newsletter.subscribers.models import Subscriber
from newsletter.subscribers.signup import SignUp


def take(account: Account, payer: Payer, subscriber: Subscriber | None = None) -> Customer:
    """What the provider knows of somebody who pays is what we know; `subscriber` is whom they said they are here."""
    db.session.execute(
        insert(Customer)
        .values(account_id=account.id, reference=payer.reference, card_brand="", card_last4="")
        .on_conflict_do_nothing(index_elements=["account_id", "reference"])
    )
    customer = db.session.scalars(
        select(Customer)
        .where(Customer.account_id == account.id, Customer.reference == payer.reference)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if payer.is_deleted:
        customer.deleted_at = customer.deleted_at or clock.now()
        return customer
    if customer.subscriber_id is None and customer.closing_since is None:
        reader = subscriber or _by_address(account, payer)
        customer.subscriber_id = reader.id if reader else None
    customer.card_brand = payer.card.brand if payer.card else ""
    customer.card_last4 = payer.card.last4 if payer.card else ""
    customer.card_expires = payer.card.expires if payer.card else None
    db.session.flush()
    return customer


def is_known(account: Account, reference: str) -> bool:
    """The author's other customers are none of ours."""
    query = select(Customer.id).where(Customer.account_id == account.id, Customer.reference == reference)
    return db.session.scalar(query) is not None


def of_reader(account: Account, subscriber_id: int) -> Customer | None:
    """The newest, if they have paid before."""
    query = select(Customer).where(
        Customer.account_id == account.id, Customer.subscriber_id == subscriber_id, Customer.deleted_at.is_(None)
    )
    return db.session.scalar(query.order_by(Customer.id.desc()).limit(1))


def to_be_closed(account: Account) -> list[Customer]:
    """Of erased readers: nothing may be charged any more. All of them, so that those refused keep nobody waiting."""
    query = select(Customer).where(
        Customer.account_id == account.id, Customer.closing_since.is_not(None), Customer.deleted_at.is_(None)
    )
    return list(db.session.scalars(query.order_by(Customer.id)))


def _by_address(account: Account, payer: Payer) -> Subscriber | None:
    try:
        return reader_with(Address.read(payer.email), account.publication_id)
    except BadAddress:
        return None


def reader_with(address: Address, publication_id: int, source: str = "payment") -> Subscriber | None:
    """The reader with that address, or a new one: not confirmed, and on no newsletter, for paying asks for neither."""
    db.session.execute(
        insert(Subscriber)
        .values(publication_id=publication_id, email=address.email, email_key=address.key, name="", source=source)
        .on_conflict_do_nothing(index_elements=["publication_id", "email_key"])
    )
    return Subscriber.by_key(address.key)


def ask_to_confirm(subscriber: Subscriber) -> None:
    """Paying proves no mailbox: a reader who is new is asked by mail, as everybody is, before any letter is sent."""
    newsletters = Newsletter.open()[:1]
    if subscriber.confirmed_at or not subscriber.email or not newsletters:
        return
    wording = consent.wording(newsletters[0].publication.name, [newsletters[0].name])
    signup.sign_up(SignUp(address=Address.read(subscriber.email), newsletters=newsletters, wording=wording))
