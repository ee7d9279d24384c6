"""A mailing, watched on a terminal."""

import math
import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from newsletter import clock
from newsletter.db import db
from newsletter.sending import queries, traffic
from newsletter.sending.models import Outcome
from newsletter.sending.queries import Progress as Numbers
from newsletter.sending.traffic import LaneState
from newsletter.terminal.screen import harmless, out

_LOOK_EVERY = 0.5  # seconds
_PARTS = (*Outcome, "waiting", "remaining")


def follow(mailing_id: int, patience: float = math.inf) -> Numbers:
    """Show a bar until the mailing is over, or for so many seconds."""
    until = time.monotonic() + patience
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=out) as bar:
        numbers = queries.progress(mailing_id)
        line = bar.add_task(numbers.state.value, total=numbers.due, told="")
        while True:
            bar.update(line, description=numbers.state.value, completed=numbers.recorded, told=_told(numbers))
            if numbers.is_over or time.monotonic() > until:
                return numbers
            db.session.rollback()  # the next look must see what happened meanwhile
            time.sleep(_LOOK_EVERY)
            numbers = queries.progress(mailing_id)


def parts(numbers: Numbers) -> str:
    """Every part that is not empty: “4,981 accepted, 3 refused”."""
    told = [(str(part), getattr(numbers, str(part))) for part in _PARTS]
    return ", ".join(f"{number:,} {part}" for part, number in told if number) or "nothing yet"


def _told(numbers: Numbers) -> str:
    rate = f"{numbers.rate_per_minute:,.0f} a minute" if numbers.recorded else ""
    left = f"about {numbers.seconds_left // 60 + 1} min left" if numbers.seconds_left else ""
    trouble = numbers.held_because or numbers.trouble or _lanes(numbers)
    return harmless(" · ".join(filter(None, (parts(numbers), rate, left, trouble)))).plain.replace("[", r"\[")


def _lanes(numbers: Numbers) -> str:
    """What is slow, and why nothing moves."""
    told = []
    for lane in [] if numbers.is_over else traffic.now():
        if lane.opens_at is not None:
            minutes = math.ceil((lane.opens_at - clock.now()).total_seconds() / 60)
            told.append(f"{lane.title} {lane.state} for {minutes // 60} h {minutes % 60} min")
        elif lane.state is LaneState.SLOWED:
            told.append(f"{lane.title} slowed to {lane.percent} %")
    return ", ".join(told)
