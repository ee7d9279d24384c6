"""Background work by name. Celery carries only the bell: the database is the truth, and is not needed to ring."""

from enum import StrEnum
from typing import Any

import structlog
from celery import Celery
from celery.app.amqp import AMQP
from kombu import Connection
from kombu.exceptions import OperationalError

from newsletter.config import Settings

log = structlog.get_logger()


class Job(StrEnum):
    """Every task there is. A test asserts that worker/tasks.py has exactly these."""

    SEND_NOTICES = "send_notices"
    START_DUE_MAILINGS = "start_due_mailings"
    DELIVER = "deliver"
    SWEEP = "sweep"
    BEAT = "beat"
    FETCH_MAIL = "fetch_mail"
    CHECK_POST = "check_post"
    FINISH_PICTURE = "finish_picture"
    READ_LINK = "read_link"
    TAKE_PAYMENT_EVENTS = "take_payment_events"
    KEEP_TIERS_IN_STEP = "keep_tiers_in_step"
    KEEP_MEMBERSHIPS = "keep_memberships"
    RECONCILE = "reconcile"


NOTICES = "notices"  # a queue of its own: a confirmation never waits behind a mailing
MAILINGS = "mailings"
_QUEUES = dict.fromkeys(
    (
        Job.DELIVER,
        Job.START_DUE_MAILINGS,
        Job.FETCH_MAIL,
        Job.CHECK_POST,
        Job.FINISH_PICTURE,
        Job.READ_LINK,
        Job.KEEP_TIERS_IN_STEP,
        Job.KEEP_MEMBERSHIPS,
        Job.RECONCILE,
    ),
    MAILINGS,
)
HEARD_AGAIN_AFTER = 5  # seconds after the return of Redis, at most


class _Persistent(Connection):
    """Celery would wait up to 30 seconds between its tries; when Redis is back, the bell is to be heard soon."""

    def ensure_connection(self, *given: Any, **named: Any) -> Any:  # kombu's signature
        return super().ensure_connection(*given, **{"interval_max": HEARD_AGAIN_AFTER, **named})


class _Bell(AMQP):
    Connection = _Persistent


celery = Celery("newsletter", amqp=_Bell)


def configure(settings: Settings) -> None:
    celery.conf.update(
        broker_url=settings.redis_url,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # The web process must answer at once when Redis is away: the sweep finds what the bell did not ring for.
        broker_transport_options={
            "socket_connect_timeout": 1,
            "socket_timeout": 5,
            "visibility_timeout": 3600,
            "max_retries": 0,
            "queue_order_strategy": "priority",
        },
        task_default_queue=NOTICES,
        task_queues=None,
        task_routes={job.value: {"queue": queue} for job, queue in _QUEUES.items()},
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_soft_shutdown_timeout=45,
        timezone="UTC",
    )


def ring(job: Job, *ids: int) -> bool:
    """Publish now. False when Redis is away: then the sweep will find the row."""
    try:
        celery.send_task(job.value, args=ids, queue=_QUEUES.get(job, NOTICES), ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("job not published", job=job.value, reason=type(error).__name__)
        return False
    return True
