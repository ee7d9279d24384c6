"""The timetable for beat. Every job in it may come late, twice or not at all: workers also look by themselves."""

from newsletter.bells import Job

TIMETABLE = {
    "start what is due": {"task": Job.START_DUE_MAILINGS.value, "schedule": 30.0},
    "find what was left": {"task": Job.SWEEP.value, "schedule": 60.0},
    "say that beat lives": {"task": Job.BEAT.value, "schedule": 20.0},
    "look after memberships": {"task": Job.KEEP_MEMBERSHIPS.value, "schedule": 3600.0},
    "compare with the payment provider": {"task": Job.RECONCILE.value, "schedule": 24 * 3600.0},
    "look into the mailbox": {"task": Job.FETCH_MAIL.value, "schedule": 60.0},
}
