"""What staff fill in. CSRF is the guard's business; here is only what a field may hold."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from wtforms import (
    BooleanField,
    EmailField,
    FieldList,
    FileField,
    Form,
    FormField,
    HiddenField,
    MultipleFileField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput

from newsletter.publication.models import Newsletter
from newsletter.tiers import money
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Cadence, Tier

Check = Callable[[Any, Any], None]  # what WTForms calls with the form and the field


def needed(sentence: str) -> Check:
    """A field that cannot stay empty, and the sentence that says so."""

    def check(_form: Form, field: StringField) -> None:
        if not (field.data or "").strip():
            raise ValidationError(sentence)

    return check


class SignInForm(Form):
    email = EmailField("Mail address")
    password = PasswordField("Password")


class PasswordForm(Form):
    present = PasswordField("Present password", [needed("Type the password you have now.")])
    new = PasswordField("New password", [needed("Type the new password.")])


class CheckboxesField(SelectMultipleField):
    """Several of a few: each with a box of its own."""

    option_widget = CheckboxInput()


class PostForm(Form):
    title = TextAreaField("Title")
    subtitle = TextAreaField("Subtitle")
    body = TextAreaField("Text")
    newsletter = SelectField("Newsletter", validate_choice=False)  # publishing knows them, and says so
    audience = SelectField(
        "Who may read it",
        choices={"everyone": "Everyone", "subscribers": "Readers who signed up", "paying": "Paying readers"},
    )
    tiers = CheckboxesField("Of those who pay, only who holds", validate_choice=False)  # none: all of them
    slug = StringField("Address")
    authors = StringField("Authors")
    series = StringField("Series")
    number = StringField("Number in the series")
    tags = StringField("Tags")
    date = StringField("Date shown")
    preheader = StringField("Preheader")
    subject = StringField("Subject of the mail")
    pictures = MultipleFileField("From this device")
    revision = HiddenField()  # what was on the page when the writing began

    def offer(self, newsletters: list[Newsletter], chosen: Newsletter | None) -> None:
        """Newsletters and tiers to choose from; a newsletter that is archived stays on offer where it was chosen."""
        self.tiers.choices = [(tier.slug, tier.name) for tier in Tier.in_order()]
        listed = newsletters if chosen is None or chosen in newsletters else [*newsletters, chosen]
        self.newsletter.choices = {newsletter.slug: newsletter.name for newsletter in listed}

    def validate_number(self, field: StringField) -> None:
        if field.data and not re.fullmatch(r"\s*[0-9]{1,9}\s*", field.data):
            raise ValidationError("A whole number, or nothing.")

    def validate_date(self, field: StringField) -> None:
        try:
            date.fromisoformat(field.data or "2000-01-01")
        except ValueError:
            raise ValidationError("Write the date like 2026-05-31.") from None


class ScheduleForm(Form):
    when = RadioField("When", choices={"at": "At a time", "now": "Now"}, default="at")
    day = StringField("Day")
    time = StringField("Time")
    zone = StringField("Time zone")


class AddReaderForm(Form):
    email = EmailField("Mail address", [needed("Whom do you want to add?")])
    name = StringField("Name")
    newsletters = CheckboxesField("Newsletters", coerce=int)
    consent = RadioField(
        "How do they agree?",
        choices={"ask": "Ask them to confirm", "vouch": "They have agreed already, and I can show it"},
        default="ask",
    )
    source = TextAreaField("Where their consent comes from")

    def validate_newsletters(self, field: SelectMultipleField) -> None:
        if not field.data:
            raise ValidationError("Choose one newsletter at least.")

    def validate_source(self, field: TextAreaField) -> None:
        if self.consent.data == "vouch" and len((field.data or "").strip()) < 10:
            raise ValidationError("Say when and how they agreed, in a sentence. It is kept as proof.")


class TextsForm(Form):
    """A form of texts only; a field that was not sent is an empty one."""

    @property
    def texts(self) -> dict[str, str]:
        return {name: value or "" for name, value in self.data.items()}


class PublicationForm(TextsForm):
    name = StringField("Name", [needed("A publication needs a name.")])
    tagline = StringField("Tagline")
    postal_address = TextAreaField("Postal address")
    time_zone = StringField("Time zone")
    language = StringField("Language")


class LooksForm(TextsForm):
    """What cannot be chosen is refused by publication.looks, which knows what there is."""

    accent = StringField("Accent colour")
    faces = RadioField("Typeface", choices={"serif": "With serifs", "sans": "Without serifs"}, validate_choice=False)
    header = RadioField(
        "Header",
        choices={
            "left": "Logo and name on one line",
            "rule": "The same, larger, a rule below",
            "centred": "In the middle, a double rule below",
            "logo": "The logo alone",
        },
        validate_choice=False,
    )
    headings = RadioField(
        "Headings",
        choices={"plain": "Bold", "ruled": "Large and light, a line above", "small": "Small and bold"},
        validate_choice=False,
    )
    quotes = RadioField(
        "Quotations",
        choices={"line": "A line beside them", "large": "Larger", "ground": "On a faint ground"},
        validate_choice=False,
    )
    cards = RadioField(
        "Cards",
        choices={"box": "In a box", "rules": "Between two lines", "ground": "On a faint ground"},
        validate_choice=False,
    )
    footer = TextAreaField("Footer")
    long_mail = RadioField(
        "Letters that are too long",
        choices={
            "fold": "Fold them over 95 kB: the end is read on the web",
            "whole": "Leave them whole, and warn me",
        },
        validate_choice=False,
    )


class LogoForm(Form):
    logo = FileField("Logo")


class DarkLogoForm(Form):
    dark_logo = FileField("Logo on dark pages")


class NewsletterForm(TextsForm):
    name = StringField("Name", [needed("A newsletter needs a name.")])
    description = StringField("Description")
    sender_name = StringField("Sender’s name", [needed("Readers see who writes before they see what.")])
    sender_email = EmailField("Sender’s address", [needed("Mail needs an address that it comes from.")])
    reply_to = EmailField("Answers go to")


class PriceForm(Form):
    """What a tier costs in one currency."""

    currency = SelectField("Currency", choices={each: each for each in money.CURRENCIES})
    month = StringField("A month")
    year = StringField("A year")

    def fields(self) -> dict[Cadence, StringField]:
        return {Cadence.MONTH: self.month, Cadence.YEAR: self.year}

    def validate_month(self, field: StringField) -> None:
        self._check(field)

    def validate_year(self, field: StringField) -> None:
        self._check(field)

    def _check(self, field: StringField) -> None:
        written = (field.data or "").strip()
        if written and self.currency.data in money.CURRENCIES:
            try:
                money.read(written, self.currency.data)
            except money.NotAnAmount as error:
                raise ValidationError(error.sentence) from None


class TierForm(Form):
    name = StringField("Name", [needed("A tier needs a name.")])
    description = TextAreaField("Description")
    benefits = TextAreaField("What comes with it")
    prices = FieldList(FormField(PriceForm), max_entries=len(money.CURRENCIES))
    is_minimum = BooleanField("Readers may pay more if they like")
    trial_days = StringField("Days to try it for nothing")
    is_hidden = BooleanField("Not shown on the site")

    @classmethod
    def of(cls, tier: Tier) -> "TierForm":
        by_currency: dict[str, dict[str, str]] = {}
        for price in tier.prices:
            row = by_currency.setdefault(price.currency, {"currency": price.currency})
            row[price.cadence.value] = money.plain(price.amount, price.currency)
        return cls(
            data={
                "name": tier.name,
                "description": tier.description,
                "benefits": "\n".join(tier.benefits),
                "prices": list(by_currency.values()),
                "is_minimum": tier.is_minimum,
                "trial_days": str(tier.trial_days or ""),
                "is_hidden": tier.hidden_at is not None,
            }
        )

    def offer_a_row(self) -> None:
        """An empty one for the next currency: whoever has none with prices in it yet begins with the first."""
        taken = {row.form.currency.data for row in self.prices}
        free = [currency for currency in money.CURRENCIES if currency not in taken]
        if free and all(row.form.month.data or row.form.year.data for row in self.prices):
            self.prices.append_entry({"currency": free[0]})

    def validate_trial_days(self, field: StringField) -> None:
        if not re.fullmatch(r"\s*[0-9]{0,4}\s*", field.data or ""):
            raise ValidationError("A whole number of days, or nothing.")

    def validate_prices(self, field: "FieldList[Any]") -> None:
        filled = [row.form.currency.data for row in field if row.form.month.data or row.form.year.data]
        twice = next((currency for currency in filled if filled.count(currency) > 1), None)
        if twice:
            raise ValidationError(f"{twice} is there twice: which of the two is it?")

    @property
    def said(self) -> Listing:
        """What was filled in, once it is valid."""
        return Listing(
            name=self.name.data or "",
            description=self.description.data or "",
            benefits=[line for line in (self.benefits.data or "").splitlines() if line.strip()],
            trial_days=int((self.trial_days.data or "").strip() or 0),
            is_minimum=bool(self.is_minimum.data),
            is_hidden=bool(self.is_hidden.data),
            prices={
                (cadence, row.form.currency.data): money.read(field.data or "", row.form.currency.data)
                for row in self.prices
                for cadence, field in row.form.fields().items()
                if (field.data or "").strip()
            },
        )
