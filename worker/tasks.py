"""Every job on one page: ids in, one call. Each is safe to run twice, or twice at once."""

from collections.abc import Callable

import structlog

import emails
from newsletter import jobs
from newsletter.billing import events, rounds
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.posts import link_checks, snapshots
from newsletter.posts.publishing import NotReady
from newsletter.sending import lanes, resume, spam_check, start
from worker import deliver, mailbox, notice
from worker import sweep as sweeping
from worker.mailbox import NoMailbox

log = structlog.get_logger()

_calls: dict[Job, Callable[..., None]] = {}


def task(job: Job) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def register(call: Callable[..., None]) -> Callable[..., None]:
        _calls[job] = call
        jobs.celery.task(name=job.value)(call)
        return call

    return register


def run(job: Job, *ids: int) -> None:
    """Do a job here and now, in the current app context."""
    _calls[job](*ids)


def names() -> set[str]:
    return {job.value for job in _calls}


@task(Job.SEND_NOTICES)
def send_notices() -> None:
    notice.send_due()


@task(Job.START_DUE_MAILINGS)
def start_due_mailings() -> None:
    for post_id in start.due():
        try:
            start.start(post_id)
        except (NotReady, emails.LetterError) as error:
            db.session.rollback()
            start.take_back(post_id, str(error))
        except Exception:  # one post that cannot start must not keep the others waiting
            db.session.rollback()
            log.exception("a post could not be started", post=post_id)
        db.session.commit()


@task(Job.DELIVER)
def deliver_mailing(mailing_id: int) -> None:
    deliver.deliver(mailing_id)


@task(Job.SWEEP)
def sweep() -> None:
    for job, ids in sweeping.find():
        jobs.ring(job, *ids)


@task(Job.BEAT)
def beat_is_alive() -> None:
    resume.seen("beat")
    lanes.forget_old()
    db.session.commit()


@task(Job.FETCH_MAIL)
def fetch_mail() -> None:
    try:
        mailbox.fetch()
    except NoMailbox as error:
        log.warning("the mailbox was not looked into", reason=error.sentence)


@task(Job.CHECK_POST)
def check_post(post_id: int) -> None:
    spam_check.check(post_id)
    db.session.commit()
    link_checks.check(post_id)
    db.session.commit()


@task(Job.FINISH_PICTURE)
def finish_picture(media_id: int) -> None:
    from newsletter.posts import pictures  # and with it Pillow, of which a worker that only delivers needs nothing

    is_begun = pictures.begin(media_id)
    db.session.commit()
    if is_begun:
        pictures.finish(media_id)
        db.session.commit()


@task(Job.READ_LINK)
def read_link(snapshot_id: int) -> None:
    if snapshots.claim(snapshot_id):
        db.session.commit()
        snapshots.read(snapshot_id)
    db.session.commit()


@task(Job.TAKE_PAYMENT_EVENTS)
def take_payment_events() -> None:
    for _ in range(1000):
        if not events.take_next():
            break
        db.session.commit()
    db.session.commit()


@task(Job.KEEP_TIERS_IN_STEP)
def keep_tiers_in_step() -> None:
    rounds.keep_tiers_in_step()


@task(Job.KEEP_MEMBERSHIPS)
def keep_memberships() -> None:
    rounds.keep_memberships()


@task(Job.RECONCILE)
def reconcile() -> None:
    rounds.reconcile()
