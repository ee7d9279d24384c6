"""Who may be entered, and on what: people who said no stay away, whatever a file says."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.imports.values import Origin, Remark, Result, Wanted
from newsletter.subscribers.models import Suppression, SuppressionReason

_SUPPRESSED = {
    SuppressionReason.BOUNCED: "The address was returned as undeliverable on {day}",
    SuppressionReason.COMPLAINED: "Reported a message as spam on {day}",
    SuppressionReason.REFUSED: "Said “never write to me again” on {day}",
    SuppressionReason.ERASED: "Had their data erased on {day}",
    SuppressionReason.STAFF: "Was taken off by the desk on {day}",
}


@dataclass(frozen=True)
class Verdict:
    """What is done about one address."""

    result: Result
    sentence: str = ""
    subscriber_id: int | None = None  # None: not touched
    newsletter_ids: tuple[int, ...] = ()  # that they are put on now

    def remark(self, wanted: Wanted, *, has_new_tags: bool) -> Remark:
        extended = self.result is Result.UNCHANGED and has_new_tags
        return Remark(wanted.line, wanted.email, Result.EXTENDED if extended else self.result, self.sentence)


CHANGED_MEANWHILE = Verdict(Result.KEPT_OUT, "Changed while this import was running: stays as it is.")


@dataclass(frozen=True)
class Standing:
    """How somebody we know stands."""

    subscriber_id: int
    asked_at: datetime
    is_confirmed: bool
    is_suppressed: bool
    left_at: dict[int, datetime | None]  # for each newsletter they ever were on; None: on it now


def of_suppressed(suppressed: Suppression, origin: Origin) -> Verdict:
    day = origin.day(suppressed.at)
    return Verdict(Result.KEPT_OUT, f"{_SUPPRESSED[suppressed.reason].format(day=day)}: is never written to again.")


def of_known(wanted: Wanted, standing: Standing, origin: Origin) -> Verdict:
    """Somebody we know: gets what they never left, and only if they are still with us."""
    if standing.is_suppressed:
        return Verdict(Result.KEPT_OUT, "Is never written to again.")
    days_left = [left_at for left_at in standing.left_at.values() if left_at]
    if len(days_left) == len(standing.left_at):
        told = f"Left on {origin.day(max(days_left))}: stays left." if days_left else "Is on no newsletter: stays so."
        return Verdict(Result.KEPT_OUT, told)
    if not standing.is_confirmed:
        asked = origin.day(standing.asked_at)
        return Verdict(Result.KEPT_OUT, f"Was asked to confirm on {asked} and has not answered: stays unconfirmed.")
    new = tuple(each for each in wanted.newsletter_ids if each not in standing.left_at)
    left = [(each, at) for each, at in standing.left_at.items() if at and each in wanted.newsletter_ids]
    sentence = " ".join(f"Left {origin.newsletter_names[each]} on {origin.day(at)}: stays left." for each, at in left)
    result = Result.EXTENDED if new else Result.KEPT_OUT if left else Result.UNCHANGED
    return Verdict(result, sentence, standing.subscriber_id, new)
