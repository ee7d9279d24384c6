"""What must stay true of the whole house."""

from newsletter.jobs import Job
from worker import schedule, tasks


def test_every_job_has_a_task_and_every_task_a_job() -> None:
    assert tasks.names() == {job.value for job in Job}


def test_the_timetable_knows_only_jobs() -> None:
    assert {entry["task"] for entry in schedule.TIMETABLE.values()} <= {job.value for job in Job}
