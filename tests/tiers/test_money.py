"""Amounts of money, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.tiers import money


@pytest.mark.parametrize(
    ("written", "currency", "amount"),
    [
        *(("5", "EUR", 500), ("5.50", "EUR", 550), ("5,5", "EUR", 550), (" 0.05 ", "USD", 5), ("500", "JPY", 500)),
        ("999999.99", "USD", 99_999_999),
    ],
)
def test_what_people_write_is_read(written: str, currency: str, amount: int) -> None:
    assert money.read(written, currency) == amount


@pytest.mark.parametrize(
    ("written", "currency"),
    [
        *(("", "EUR"), ("five", "EUR"), ("-5", "EUR"), ("1,500", "EUR"), ("5.5", "JPY"), ("5.505", "EUR")),
        *(("0", "EUR"), ("0.00", "EUR"), ("1000000", "USD"), ("5 €", "EUR"), ("1e3", "EUR"), ("٥", "EUR")),
    ],
)
def test_what_is_no_price_is_refused_with_a_sentence(written: str, currency: str) -> None:
    with pytest.raises(money.NotAnAmount) as refused:
        money.read(written, currency)
    assert refused.value.sentence.endswith(".")


@given(amount=st.integers(1, 99_999_999), currency=st.sampled_from(money.CURRENCIES))
def test_what_a_field_shows_is_read_as_the_same(amount: int, currency: str) -> None:
    if currency in ("JPY", "KRW"):
        amount = amount % 999_999 + 1
    assert money.read(money.plain(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("language", "shown"),
    [("en", "€5.50"), ("de", "5,50\xa0€"), ("pt-BR", "€\xa05,50"), ("tlh", "€5.50"), ("?", "€5.50")],
)
def test_a_sum_is_written_as_its_readers_write(language: str, shown: str) -> None:
    assert money.written(550, "EUR", language) == shown
