"""How the desk says numbers and moments: with their basis, their zone, their distance."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter import browsers, clock
from newsletter.tiers import money


@dataclass(frozen=True)
class Phrases:
    """For people in one time zone."""

    zone: str

    def number(self, value: float) -> str:
        return f"{value:,.0f}"

    def count(self, value: int, one: str, many: str = "") -> str:
        """ "1 reader", "5,120 readers"."""
        return f"{value:,} {one if value == 1 else many or one + 's'}"

    def money(self, amount: int, currency: str) -> str:
        """ "€5.00", of an amount in the currency's smallest unit."""
        return money.written(amount, currency)

    def time(self, at: datetime) -> str:
        return f"{self._local(at):%H:%M}"

    def moment(self, at: datetime, zone: str = "") -> str:
        """ "today 09:00 (Berlin)"."""
        return f"{self.day(at, zone)} {self._local(at, zone):%H:%M} ({place(zone or self.zone)})"

    def day(self, at: datetime, zone: str = "") -> str:
        local, today = self._local(at, zone).date(), self._local(clock.now(), zone).date()
        named = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((local - today).days)
        if named:
            return named
        return f"{local:%a} {local.day} {local:%b}" + ("" if local.year == today.year else f" {local.year}")

    def date(self, at: datetime) -> str:
        local = self._local(at)
        return f"{local.day} {local:%b %Y}"

    def distance(self, at: datetime) -> str:
        """ "in 2 h 10 min", "3 min ago", "now"."""
        away = at - clock.now()
        if abs(away) < timedelta(seconds=60):
            return "now"
        words = duration(abs(away).total_seconds())
        return f"in {words}" if away > timedelta(0) else f"{words} ago"

    def duration(self, seconds: float) -> str:
        return duration(seconds)

    def browser(self, user_agent: str) -> str:
        return browsers.named(user_agent)

    def in_both_zones(self, at: datetime, zone: str) -> str:
        """The moment where it was planned, and where the publication lives if that is elsewhere."""
        there = self.moment(at, zone or self.zone)
        same = not zone or self._local(at, zone).utcoffset() == self._local(at).utcoffset()
        return there if same else f"{there}, {self.moment(at)}"

    def iso(self, at: datetime) -> str:
        return self._local(at).isoformat(timespec="minutes")

    def _local(self, at: datetime, zone: str = "") -> datetime:
        return at.astimezone(ZoneInfo(zone or self.zone))


def place(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def duration(seconds: float) -> str:
    """The two largest units that matter: "3 d 4 h", "2 h 10 min", "40 s"."""
    if seconds < 60:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours and days < 7 else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"
