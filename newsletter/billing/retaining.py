"""An offer to who is about to leave, and to who has left. As prominent as the way out, and once."""

from datetime import timedelta

from sqlalchemy import exists, or_, select

from newsletter import clock
from newsletter.billing import counterparts, keeping, offers, telling, terms
from newsletter.billing.models import Account, Offer, OfferKind, Redemption
from newsletter.billing.stripe import Stripe
from newsletter.db import db
from newsletter.publication.models import Newsletter, Publication
from newsletter.subscribers import letters, notices
from newsletter.subscribers.models import NoticeKind, Subscriber
from newsletter.tiers.models import Membership, MembershipKind, MembershipState

AT_MOST_EVERY = timedelta(days=365)
NOT_LATER_THAN = timedelta(days=14)  # after its day: a list that was switched on late mails nobody of years ago
LASTS = timedelta(days=3)


def offer_for(membership: Membership) -> Offer | None:
    """What somebody who cancels may stay for: what the author chose, once a year for each reader."""
    offer = _chosen(terms.of(Publication.current().id).retention_offer_id)
    if offer is None or membership.state is not MembershipState.ACTIVE or not _fits(offer, membership):
        return None
    recently = exists().where(
        Redemption.subscriber_id == membership.subscriber_id,
        Redemption.used_at > clock.now() - AT_MOST_EVERY,
    )
    return None if db.session.scalar(select(recently)) else offer


def accept(account: Account, stripe: Stripe, membership: Membership) -> None:
    """They stay, for less from the next payment on. Raises NoSuchOffer."""
    known = keeping.refresh(account, stripe, membership.reference or "")
    db.session.execute(select(Offer.id).with_for_update())  # of the last one, only one of two gets it
    offer = offer_for(known) if known else None
    if known is None or offer is None:
        raise offers.NoSuchOffer
    coupon = counterparts.of_offer(account, stripe, offer)
    changed = stripe.change(known.reference or "", {"discounts": [{"coupon": coupon}]})
    db.session.add(
        Redemption(
            offer_id=offer.id,
            subscriber_id=known.subscriber_id,
            membership_id=known.id,
            held_until=clock.now(),
            used_at=clock.now(),
        )
    )
    keeping.keep(account, stripe, changed)


def win_back() -> None:
    """One letter to who held a tier some time ago and still reads: never to who left, and never twice."""
    agreed = terms.of(Publication.current().id)
    offer = _chosen(agreed.win_back_offer_id)
    if offer is None:
        return
    day = clock.now() - timedelta(days=agreed.win_back_days)
    gone = (
        select(Membership, Subscriber)
        .join(Subscriber, Subscriber.id == Membership.subscriber_id)
        .where(
            Membership.kind == MembershipKind.PAID,
            Membership.state == MembershipState.ENDED,
            Membership.ended_at.between(day - NOT_LATER_THAN, day),
            or_(Subscriber.paused_until.is_(None), Subscriber.paused_until <= clock.now()),
        )
    )
    for membership, reader in db.session.execute(gone).unique().all():
        if _may_be_asked_back(reader) and telling.once(f"subscriber {reader.id}", f"win back {membership.id}"):
            _ask_back(reader, membership, offer)


def _may_be_asked_back(reader: Subscriber) -> bool:
    holds = exists().where(Membership.subscriber_id == reader.id, Membership.is_current())
    is_mailed = reader.confirmed_at and not reader.suppressed_at and reader.newsletters
    return bool(is_mailed) and not db.session.scalar(select(holds))


def _ask_back(reader: Subscriber, membership: Membership, offer: Offer) -> None:
    newsletter: Newsletter = reader.newsletters[0]
    assert reader.email
    words = offers.in_words(
        offer,
        membership.amount or 0,
        membership.currency or "",
        membership.cadence or "month",
        newsletter.publication.language,
    )
    notices.owe(
        NoticeKind.WIN_BACK,
        address=reader.email,
        newsletter=newsletter,
        subscriber=reader,
        values={
            "tier": membership.tier.name,
            "words": words,
            "offer_url": offers.url(offer),
            "unsubscribe_url": letters.leave_url(reader.id, newsletter.id),
        },
        lasts=LASTS,
    )


def _chosen(offer_id: int | None) -> Offer | None:
    offer = db.session.get(Offer, offer_id) if offer_id else None
    return offer if offer and offers.is_open(offer) else None


def _fits(offer: Offer, membership: Membership) -> bool:
    if offer.kind is OfferKind.TRIAL:
        return False
    fits = offer.tier_id in (None, membership.tier_id) and offer.cadence in (None, membership.cadence)
    return fits and (offer.kind is not OfferKind.AMOUNT or offer.currency == membership.currency)
