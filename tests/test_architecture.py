"""What must stay true of the whole house."""

import subprocess
import sys

from newsletter.jobs import Job
from worker import schedule, tasks


def test_every_job_has_a_task_and_every_task_a_job() -> None:
    assert tasks.names() == {job.value for job in Job}


def test_the_timetable_knows_only_jobs() -> None:
    assert {entry["task"] for entry in schedule.TIMETABLE.values()} <= {job.value for job in Job}


def test_who_takes_no_money_does_not_carry_the_payment_providers_sdk() -> None:
    look = "import sys, newsletter.app, worker.tasks; print('stripe' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
