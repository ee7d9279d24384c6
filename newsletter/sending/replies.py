"""What people answer to an issue: shown at the mailing, and passed on to its author."""

from datetime import timedelta
from urllib.parse import unquote, urlsplit

import emails
from emails import Incoming
from newsletter import clock
from newsletter.config import settings
from newsletter.db import db
from newsletter.posts import content
from newsletter.publication.models import Newsletter
from newsletter.sending import bounces, identity, tally
from newsletter.sending.models import Mailing, Reply
from newsletter.sending.tally import What
from newsletter.subscribers import notices
from newsletter.subscribers.models import Notice, NoticeKind, Subscriber
from newsletter.subscribers.return_path import Sent

FORWARDED_AN_HOUR = 200
LONGEST_WORDS = 4000
MOST_LINES = 200
LASTS = timedelta(days=2)  # an answer is worth waiting for


def take(incoming: Incoming, sent: Sent | None, source: str, event_id: str) -> bool:
    """Keep what a person wrote and pass it on. False if it answers to nothing of ours. Safe to do again.

    `sent` is the message that was surely answered; else its mailing is believed, for the Message-ID that it names.
    Leaves the commit to its caller.
    """
    mailing, subscriber_id, newsletter = _about(incoming, sent)
    if newsletter is None:
        tally.count(What.NOT_OURS)
        return False
    if not bounces.is_new(source, event_id):
        return True
    reply = Reply(
        mailing_id=mailing.id if mailing else None,
        subscriber_id=subscriber_id,
        sender=_clean(incoming.sender)[:320],
        subject=_clean(incoming.subject)[:300],
        words=_clean(incoming.text)[:LONGEST_WORDS],
    )
    db.session.add(reply)
    _forward(reply, mailing, newsletter)
    return True


def _about(incoming: Incoming, sent: Sent | None) -> tuple[Mailing | None, int | None, Newsletter | None]:
    if sent and sent.notice_id:
        notice = db.session.get(Notice, sent.notice_id)
        newsletter = db.session.get(Newsletter, notice.newsletter_id) if notice else None
        return None, notice.subscriber_id if notice else None, newsletter
    named = [sent.mailing_id] if sent else [identity.root_in(message_id) for message_id in incoming.in_reply_to]
    for mailing_id in named:
        mailing = db.session.get(Mailing, mailing_id) if mailing_id else None
        if mailing:
            newsletter = db.session.get(Newsletter, mailing.newsletter_id)
            return mailing, sent.subscriber_id if sent else None, newsletter
    return None, None, None


def _forward(reply: Reply, mailing: Mailing | None, newsletter: Newsletter) -> None:
    """As a message from us that no program answers, with the reader in Reply-To. Never to where mail comes in to us."""
    to = newsletter.reply_to or newsletter.sender_email
    if is_way_in(to) or reply.sender.lower() == to.lower() or not tally.is_within(What.FORWARDED, FORWARDED_AN_HOUR):
        return
    reader = db.session.get(Subscriber, reply.subscriber_id) if reply.subscriber_id else None
    compiled = emails.compile_notice(
        "reply",
        {
            "sender": reply.sender or "somebody",
            "regarding": " ".join(reply.subject.split()),
            "title": mailing.post.title if mailing else "",
            "lines": reply.words.splitlines()[:MOST_LINES],
        },
        content.theme(newsletter),
    )
    envelope = emails.Envelope(
        sender=emails.Sender(newsletter.sender_name, newsletter.sender_email, _mailable(reply.sender)),
        date=clock.now(),
        message_id_domain=newsletter.sender_domain,
        one_click=False,
    )
    letter = emails.build_letter(compiled, envelope)
    notices.owe(
        NoticeKind.REPLY,
        address=to,
        newsletter=newsletter,
        subscriber=reader,  # so that it goes with them when they are erased
        lasts=LASTS,
        compose=lambda message_id: letter.splice(emails.Recipient(address=to, message_id=message_id)),
    )


def is_way_in(address: str) -> bool:
    """Whether mail to this address comes back to us: to a return path, a leave address, or the mailbox we fetch."""
    address = address.strip().lower()
    local_part, _, domain = address.rpartition("@")
    imap_url = settings().imap_url
    mailbox = unquote(urlsplit(imap_url.get_secret_value()).username or "").lower() if imap_url else ""
    return local_part.startswith(("b+", "leave+")) or domain == settings().bounce_domain.lower() or address == mailbox


def _mailable(address: str) -> str | None:
    try:
        return emails.mailable(address)
    except emails.LetterError:
        return None


def _clean(words: str) -> str:
    """Printable lines: neither a page nor a database has use for the rest."""
    lines = (words.replace("\t", " ").splitlines()) or [""]
    return "\n".join("".join(filter(str.isprintable, line)).rstrip() for line in lines).strip()
