"""What a reader's letters hold that is theirs alone: links, and the notices made out to them."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

import emails
from newsletter import clock, links, signing
from newsletter.config import settings
from newsletter.db import db
from newsletter.links import Purpose
from newsletter.posts import content
from newsletter.publication.models import Newsletter
from newsletter.subscribers import addresses
from newsletter.subscribers.models import Notice, NoticeKind

LINK_DAYS = 7  # of what waits for an answer: confirming, taking an address back
CODE_MINUTES = 15
ABOUT_MONEY = (
    *(NoticeKind.MEMBER_WELCOME, NoticeKind.RECEIPT, NoticeKind.TRIAL_ENDING, NoticeKind.PAYMENT_FAILED),
    *(NoticeKind.CARD_EXPIRING, NoticeKind.MEMBERSHIP_CANCELLED, NoticeKind.MEMBERSHIP_ENDED),
    *(
        NoticeKind.MEMBERSHIP_CHANGED,
        NoticeKind.MEMBER_NEWS,
        NoticeKind.GIFT,
        NoticeKind.SEAT,
        NoticeKind.PRICE_CHANGE,
        NoticeKind.GIVEN_ENDING,
        NoticeKind.WIN_BACK,
    ),
)


class Reader(Protocol):
    """A Subscriber, or a row with these columns of one."""

    @property
    def id(self) -> int: ...
    @property
    def email(self) -> str | None: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Home:
    """The newsletter a letter belongs to, as far as its links need it. Outlives the database session."""

    id: int
    sender_domain: str


def home(newsletter: Newsletter) -> Home:
    return Home(newsletter.id, newsletter.sender_domain)


class Values:
    """All that differs from reader to reader in the messages of one mailing. Cheap, and asks no database."""

    def __init__(self, newsletter: Home, mailing_id: int, view_url: str = "") -> None:
        self._site = settings().site_url
        self._domain = newsletter.sender_domain
        self._view_url = view_url
        self._leave = links.signer(Purpose.LEAVE, newsletter.id, mailing_id)
        self._preferences = links.signer(Purpose.PREFERENCES)

    def of(self, subscriber: Reader, message_id: str) -> emails.Recipient:
        leave = self._leave(subscriber.id)
        return emails.Recipient(
            address=subscriber.email or "",
            message_id=message_id,
            name=subscriber.name,
            unsubscribe_url=f"{self._site}/leave/{leave}",
            unsubscribe_mailto=f"leave+{leave}@{self._domain}?subject=leave",
            preferences_url=f"{self._site}/preferences/{self._preferences(subscriber.id)}",
            view_url=self._view_url,
        )


def leave_url(subscriber_id: int, newsletter_id: int) -> str:
    return f"{settings().site_url}/leave/{links.sign(Purpose.LEAVE, subscriber_id, newsletter_id, 0)}"


def preferences_url(subscriber_id: int) -> str:
    return f"{settings().site_url}/preferences/{links.sign(Purpose.PREFERENCES, subscriber_id)}"


def compose(notice: Notice, newsletter: Newsletter) -> bytes:
    """The whole message of a notice, made once and kept for every attempt."""
    values = _values(notice, newsletter)
    compiled = emails.compile_notice(notice.kind.value, values, content.theme(newsletter))
    envelope = emails.Envelope(
        sender=emails.Sender(newsletter.sender_name, newsletter.sender_email, newsletter.reply_to or None),
        date=clock.now(),
        message_id_domain=newsletter.sender_domain,
        one_click=notice.kind in {NoticeKind.WELCOME, NoticeKind.WIN_BACK},
    )
    # A notice greets nobody by a name: a form's name field would let strangers write to strangers.
    recipient = emails.Recipient(
        address=notice.address,
        message_id=notice.message_id,
        unsubscribe_url=str(values.get("unsubscribe_url", "")),
    )
    return signing.message(emails.build_letter(compiled, envelope).splice(recipient), newsletter.sender_email)


def _values(notice: Notice, newsletter: Newsletter) -> dict[str, object]:
    values: dict[str, object] = {"address": notice.address, "days": LINK_DAYS, "minutes": CODE_MINUTES}
    subscriber_id = notice.subscriber_id or 0
    site = settings().site_url
    match notice.kind:
        case NoticeKind.CONFIRM:
            values["confirm_url"] = f"{site}/confirm/{links.sign(Purpose.CONFIRM, subscriber_id, notice.id)}"
            values["refuse_url"] = f"{site}/refuse/{links.sign(Purpose.REFUSE, subscriber_id, notice.id)}"
        case NoticeKind.ADDRESS_CODE | NoticeKind.ERASE_CODE:
            values["code"] = notice.values["code"]
            values["old_address"] = addresses.masked(notice.values.get("old_address", ""))
        case NoticeKind.SIGN_IN:
            values["code"] = notice.values["code"]
            values["sign_in_url"] = f"{site}/sign-in/{links.sign(Purpose.SIGN_IN, int(notice.values['request']))}"
        case NoticeKind.ADDRESS_CHANGED:
            undo = links.sign(Purpose.UNDO_ADDRESS, subscriber_id, int(notice.values["code_id"]))
            values["undo_url"] = f"{site}/address/{undo}"
            values["old_address"] = notice.address
            values["address"] = addresses.masked(notice.values["new_address"])
        case NoticeKind.WELCOME:
            values["archive_url"] = f"{site}/archive"
            values["unsubscribe_url"] = leave_url(subscriber_id, newsletter.id)
        case NoticeKind.HELD:
            values |= notice.values
        case kind if kind in ABOUT_MONEY:
            values |= notice.values | {"archive_url": f"{site}/archive", "support_url": f"{site}/support"}
            values["account_url"] = f"{site}/account"
    values["preferences_url"] = preferences_url(subscriber_id)
    values["newsletters"] = _names(notice)
    return values


def _names(notice: Notice) -> list[str]:
    ids = notice.values.get("newsletters", [])
    query = select(Newsletter.name).where(Newsletter.id.in_(ids)).order_by(Newsletter.position, Newsletter.id)
    return list(db.session.scalars(query))
