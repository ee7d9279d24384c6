"""docs/conformance.md is complete, and cannot flatter."""

from tests.conformance import exceptions, letters
from tests.conformance.verdicts import JUDGES, PAGE, Told, Verdicts


def test_the_page_has_every_judge_every_letter_and_every_exception() -> None:
    page = PAGE.read_text()

    for judge in JUDGES:
        assert f"\n| {judge} | " in page, f"{judge} was not asked: run make conformance"
    for name in letters.names():
        assert f"\n| {name} | " in page, f"{name} was not judged: run make conformance"
    for _, reasons in exceptions.EVERY:
        for rule, reason in reasons.items():
            assert f"  - `{rule}`: {reason}\n" in page, f"{rule} is not told: run make conformance"
    assert "**" not in page, "a judge objects, or has not been shown a broken letter"


def test_one_failure_fails_the_verdict_and_a_judge_that_sees_no_fault_is_told() -> None:
    verdicts = Verdicts()
    verdicts.add("mailparser", "reads it", True, Told({"a", "b"}))
    verdicts.add("mailparser", "reads it", False, Told({"b", "c"}))
    verdicts.add("mailparser", "", False, Told())
    verdicts.add("axe-core", "a real run: sees it", True, Told({"a"}))
    verdicts.add("axe-core", "sees it", True, Told({"a"}))

    page = verdicts.page()

    assert "| reads it | 3 | **fails** |  | **is not seen** |\n" in page
    assert "| sees it | 1 | passes |  | **is not tried** |\n" in page
    assert page.index("| sees it |") < page.index("| a real run: sees it |") < page.index("| reads it |")
