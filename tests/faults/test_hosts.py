"""Workers on several machines, each with a disk of its own, one of which is lost."""

import random
import shutil

import pytest
from sqlalchemy import text

from newsletter.db import db
from tests.faults.conftest import Check
from tests.faults.house import House, sent
from tests.faults.sink import Sink
from tests.journeys.processes import wait_for

pytestmark = pytest.mark.faults

CONNECTIONS = 2


def test_a_machine_is_lost_for_good_with_its_journals(
    house: House, sink: Sink, check: Check, dice: random.Random
) -> None:
    house.readers(2000)
    house.begin(chunk=250)
    sink.behave(delay=0.004)
    lost_disk, other_disk = house.settings.data_dir / "lost", house.settings.data_dir / "other"
    with (
        house.worker(sink.url(CONNECTIONS), processes=1, data_dir=lost_disk) as lost,
        house.worker(sink.url(CONNECTIONS), processes=1, data_dir=other_disk) as other,
    ):
        sent(sink, dice.randrange(300, 800), other)
        lost.kill()
        shutil.rmtree(lost_disk)
        wait_for(lambda: _open_chunks(house) <= 1, 60, "the others are done", other)
        assert not house.is_over()  # it might come back, and knows what has left
        if _open_chunks(house):
            db.session.execute(text("UPDATE chunk SET lease_until = lease_until - interval '2 hours'"))
            db.session.commit()
        house.finish(other)
    check(unconfirmed=250)  # its one chunk


def test_a_machine_is_switched_off_and_comes_back_with_its_journals(
    house: House, sink: Sink, check: Check, dice: random.Random
) -> None:
    house.readers(2000)
    house.begin(chunk=250)
    sink.behave(delay=0.004)
    first_disk, other_disk = house.settings.data_dir / "first", house.settings.data_dir / "other"
    with house.worker(sink.url(CONNECTIONS), processes=1, data_dir=other_disk) as other:
        with house.worker(sink.url(CONNECTIONS), processes=1, data_dir=first_disk) as first:
            sent(sink, dice.randrange(300, 800), first)
        wait_for(lambda: _open_chunks(house) <= 1, 60, "the others are done", other)
        with house.worker(sink.url(CONNECTIONS), processes=1, data_dir=first_disk) as first:
            house.finish(first)
    check(unconfirmed=CONNECTIONS)


def _open_chunks(house: House) -> int:
    return int(house.asked("SELECT count(*) FROM chunk WHERE state <> 'done'"))
