"""What a crash, a lost bell or the passing of time left to do. Safe to run twice, or twice at once."""

from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import resume, start
from newsletter.subscribers import notices


def find() -> list[tuple[Job, tuple[int, ...]]]:
    """Take back what dead processes held, then name every job there is work for now."""
    resume.hold_copies()
    resume.take_back()
    waiting = [(Job.SEND_NOTICE, (notice_id,)) for notice_id in notices.due()]
    posts: list[tuple[Job, tuple[int, ...]]] = [(Job.START_DUE_MAILINGS, ())] if start.due() else []
    mailings = [(Job.DELIVER, (mailing_id,)) for mailing_id in resume.mailings_with_work()]
    db.session.rollback()
    return [*waiting, *posts, *mailings]
