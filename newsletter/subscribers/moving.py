"""A reader moves to another address: proved by a code to the new one, told to the old one, which can take it back."""

from datetime import timedelta

from sqlalchemy import select

from newsletter import clock, links
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.links import Purpose
from newsletter.publication.models import Newsletter
from newsletter.subscribers import addresses, codes, consent, notices, paying, sessions, suppression
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.consent import NOWHERE, Origin
from newsletter.subscribers.leaving import locked
from newsletter.subscribers.letters import LINK_DAYS
from newsletter.subscribers.models import Code, ConsentKind, NoticeKind, Subscriber

CAN_BE_TAKEN_BACK = timedelta(days=LINK_DAYS)


class SameAddress(NewsletterError):
    status = 422

    def __init__(self) -> None:
        super().__init__("Your letters go to this address already.")


class AddressTaken(NewsletterError):
    status = 409

    def __init__(self) -> None:
        super().__init__("The new address is on the list already. Leave with this one, and read on there.")


class JustMoved(NewsletterError):
    status = 409

    def __init__(self) -> None:
        super().__init__(
            f"The address was changed within the last {LINK_DAYS} days, and the old one may still take that back. "
            "Until then nobody can change it again or erase it."
        )


class CannotBeTakenBack(NotFound):
    def __init__(self) -> None:
        super().__init__("This change of address cannot be taken back any more.")


def ask_new_address(subscriber: Subscriber, address: Address) -> None:
    """Mail a code to the new address. Says nothing about who is there."""
    if address.key == subscriber.email_key:
        raise SameAddress
    refuse_if_just_moved(subscriber)
    _, digits = codes.make(subscriber, codes.ADDRESS, email=address.email)
    notices.owe(
        NoticeKind.ADDRESS_CODE,
        address=address.email,
        newsletter=voice_for(subscriber),
        subscriber=subscriber,
        values={"code": digits, "old_address": subscriber.email or ""},
        lasts=codes.LASTS,
    )


def change_address(subscriber: Subscriber, typed: str, origin: Origin = NOWHERE) -> None:
    """The code from the new mailbox moves the reader there, with all they have. Raises WrongCode, AddressTaken."""
    code = codes.use(subscriber, codes.ADDRESS, typed)
    old, new = subscriber.email or "", Address(code.values["email"])
    _make_room(subscriber, new)
    _move(subscriber, new)
    code.values = {"email": new.email, "old": old}
    consent.record(subscriber, ConsentKind.CHANGED, origin=origin, what="address")
    notices.owe(
        NoticeKind.ADDRESS_CHANGED,
        address=old,
        newsletter=voice_for(subscriber),
        subscriber=subscriber,
        values={"new_address": new.email, "code_id": code.id},
        lasts=CAN_BE_TAKEN_BACK,
    )


def returning(token: str) -> tuple[Subscriber, Code]:
    """What a link to take an address back is about; changes nothing. Raises BadLink, CannotBeTakenBack."""
    subscriber_id, code_id = links.read(Purpose.UNDO_ADDRESS, token)
    subscriber, code = locked(subscriber_id), db.session.get(Code, code_id)
    if not subscriber or not code or code.subscriber_id != subscriber_id or not code.used_at:
        raise CannotBeTakenBack
    is_old = code.used_at < clock.now() - CAN_BE_TAKEN_BACK
    if is_old or subscriber.email not in (code.values["email"], code.values["old"]):
        raise CannotBeTakenBack
    return subscriber, code


def take_back(token: str, origin: Origin = NOWHERE) -> Subscriber:
    """The old mailbox says no: the reader is there again. Safe to say twice."""
    subscriber, code = returning(token)
    old = Address(code.values["old"])
    if subscriber.email_key != old.key:
        _make_room(subscriber, old)
        _move(subscriber, old)
        consent.record(subscriber, ConsentKind.CHANGED, origin=origin, what="address taken back")
    return subscriber


def refuse_if_just_moved(subscriber: Subscriber) -> None:
    """While a change can be taken back, whoever made it can do no more with it."""
    moved = select(Code.values).where(
        Code.subscriber_id == subscriber.id,
        Code.purpose == codes.ADDRESS,
        Code.used_at > clock.now() - CAN_BE_TAKEN_BACK,
    )
    if any(values["email"] == subscriber.email for values in db.session.scalars(moved)):
        raise JustMoved


def voice_for(subscriber: Subscriber) -> Newsletter:
    """The newsletter in whose name someone is written to: one they are on, or the first."""
    return (subscriber.newsletters or Newsletter.open())[0]


def _make_room(subscriber: Subscriber, address: Address) -> None:
    """Someone who never confirmed gives way to who has just proved to read that mailbox, with what they pay for."""
    there = Subscriber.by_key(address.key)
    if there is None:
        return
    if there.confirmed_at:
        raise AddressTaken
    paying.pass_on(there.id, subscriber.id)
    db.session.expire(there)
    db.session.delete(there)
    db.session.flush()


def _move(subscriber: Subscriber, address: Address) -> None:
    subscriber.email = address.email
    subscriber.email_key = addresses.key(address.email)
    sessions.end_all(subscriber)  # whoever is signed in may not be who reads the new mailbox
    subscriber.suppressed_at = clock.now() if suppression.is_suppressed(address.key) else None
    db.session.flush()
