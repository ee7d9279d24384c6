"""Days in words."""

from datetime import date

_MONTHS = "January February March April May June July August September October November December".split()


def long_date(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
