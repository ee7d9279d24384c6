"""Readers at the desk: found, added with proof, taken off, never written to again."""

from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.subscribers import suppression
from newsletter.subscribers.models import ConsentEvent, ConsentKind, Subscriber, SubscriberState, Tag
from tests import cast, factories
from tests.admin.conftest import seen
from tests.doubles import JobQueue, Outbox

XSS = "<script>alert('x')</script>"
PROOF = "Signed the paper list at the workshop on 3 May."


def the(email: str) -> Subscriber:
    db.session.expire_all()
    found = Subscriber.by_key(email)
    assert found is not None
    return found


def test_readers_are_found_by_words_state_newsletter_and_tag(desk: FlaskClient, weekly: Newsletter) -> None:
    ada, linus = cast.ada(), cast.linus()
    notes = factories.newsletter(slug="notes", name="Field Notes")
    grace = factories.subscriber("grace@example.com", name="Grace", on=[notes])
    grace.tags = [Tag(publication_id=weekly.publication_id, name="press")]
    db.session.commit()

    def found(query: str) -> set[str]:
        page = desk.get(f"/desk/readers?{query}").text
        return {reader for reader in ("ada", "grace", "linus") if f">{reader}@example.com<" in page}

    assert found("") == {"ada", "grace", "linus"}
    assert found("words=AD") == {"ada"}
    assert found("state=left") == {"linus"}
    assert found(f"newsletter={notes.id}") == {"grace"}
    assert found("tag=press") == {"grace"}
    assert found("tag=press&state=left") == set()
    assert found("words=%25") == set()
    assert found("words=' OR 1=1 --") == set()
    assert found("state=nonsense&newsletter=nonsense") == {"ada", "grace", "linus"}
    assert {ada.state, linus.state} == {SubscriberState.ACTIVE, SubscriberState.LEFT}


def test_a_long_list_goes_on_where_it_stopped(desk: FlaskClient, weekly: Newsletter) -> None:
    for number in range(60):
        factories.subscriber(f"reader{number}@example.com", on=[weekly])
    db.session.commit()

    first = desk.get("/desk/readers").text
    after = first.split("after=")[1].split('"')[0]
    second = desk.get(f"/desk/readers?after={after}").text

    assert "60 readers found" in first
    assert ">reader59@example.com<" in first
    assert ">reader9@example.com<" not in first
    assert ">reader9@example.com<" in second
    assert ">reader10@example.com<" not in second


def test_names_and_tags_are_words_on_every_page(desk: FlaskClient, weekly: Newsletter) -> None:
    reader = factories.subscriber("ada@example.com", name=XSS, on=[weekly], source=XSS)
    reader.tags = [Tag(publication_id=weekly.publication_id, name=XSS)]
    db.session.add(
        ConsentEvent(
            subscriber_id=reader.id,
            kind=ConsentKind.ASKED,
            newsletter_ids=[weekly.id],
            wording=XSS,
            form_url=f"javascript:{XSS}",
            user_agent=XSS,
            detail={"reason": XSS},
        )
    )
    db.session.commit()

    for path in ("/desk/readers", f"/desk/readers/{reader.id}"):
        page = desk.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
        assert 'href="javascript:' not in page


def add(desk: FlaskClient, weekly: Newsletter, **given: str) -> str:
    data = {"email": "ada@example.com", "name": "Ada", "newsletters": str(weekly.id), "consent": "ask", **given}
    return seen(desk.post("/desk/readers/add", data=data, follow_redirects=True))


def test_someone_added_is_asked_first_and_gets_nothing_until_they_agree(
    desk: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    page = desk.get("/desk/readers/add").text
    said = add(desk, weekly)
    jobs_queue.run()

    assert 'checked id="consent-0"' in page
    assert 'checked id="newsletters-0" name="newsletters" type="checkbox"' in page
    assert "is asked to confirm" in said
    assert outbox.addresses == ["ada@example.com"]
    assert the("ada@example.com").state is SubscriberState.PENDING


def test_who_agreed_elsewhere_is_added_with_the_proof_and_without_a_mail(
    desk: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    add(desk, weekly, consent="vouch", source=PROOF)
    jobs_queue.run()

    reader = the("ada@example.com")
    assert reader.state is SubscriberState.ACTIVE
    assert len(outbox) == 0
    assert PROOF in seen(desk.get(f"/desk/readers/{reader.id}"))


def test_nobody_is_added_without_saying_where_their_consent_comes_from(desk: FlaskClient, weekly: Newsletter) -> None:
    said = add(desk, weekly, consent="vouch", source="yes")

    assert "Say when and how they agreed" in said
    assert Subscriber.by_key("ada@example.com") is None


def test_staff_cannot_bring_back_who_has_left(desk: FlaskClient, weekly: Newsletter) -> None:
    cast.linus()
    db.session.commit()

    said = add(desk, weekly, email="Linus@Example.com", consent="vouch", source=PROOF)

    assert "This reader has left." in said
    assert the("linus@example.com").state is SubscriberState.LEFT


def test_staff_put_nobody_back_on_the_one_newsletter_they_left(desk: FlaskClient, weekly: Newsletter) -> None:
    notes = factories.newsletter(slug="notes", name="Field Notes")
    ada = factories.subscriber("ada@example.com", on=[weekly, notes])
    ada.subscriptions[0].left_at = ada.created_at
    db.session.commit()

    add(desk, weekly, consent="vouch", source=PROOF)

    assert [newsletter.slug for newsletter in the("ada@example.com").newsletters] == ["notes"]


def test_staff_cannot_add_who_asked_never_to_be_written_to(desk: FlaskClient, weekly: Newsletter) -> None:
    ada = cast.ada()
    db.session.commit()
    desk.post(f"/desk/readers/{ada.id}/never-again")

    said = add(desk, weekly, consent="vouch", source=PROOF)

    assert "We never write to this address again" in said
    assert the("ada@example.com").state is SubscriberState.SUPPRESSED
    assert suppression.is_suppressed("ada@example.com")


def test_what_is_no_address_is_refused_beside_its_field(desk: FlaskClient, weekly: Newsletter) -> None:
    said = add(desk, weekly, email="ada at example", name="Ada Lovelace")

    assert "This address does not work" in said


def test_a_reader_is_taken_off_everything_and_that_can_be_undone(desk: FlaskClient, weekly: Newsletter) -> None:
    ada = cast.ada()
    db.session.commit()

    answer = desk.post(f"/desk/readers/{ada.id}/take-off", follow_redirects=True)
    assert "Taken off all newsletters." in seen(answer)
    assert the("ada@example.com").state is SubscriberState.LEFT
    undo = answer.text.split(f'action="/desk/readers/{ada.id}/put-back/')[1].split('"')[0]

    desk.post(f"/desk/readers/{ada.id}/put-back/{undo}")

    assert the("ada@example.com").state is SubscriberState.ACTIVE
    kinds = list(db.session.scalars(select(ConsentEvent.kind).order_by(ConsentEvent.id)))
    assert kinds == [ConsentKind.LEFT, ConsentKind.RETURNED]


def test_looking_at_a_reader_changes_nothing(desk: FlaskClient, weekly: Newsletter) -> None:
    ada = cast.ada()
    db.session.commit()

    for act in ("take-off", "never-again"):
        assert desk.get(f"/desk/readers/{ada.id}/{act}").status_code == 405

    assert the("ada@example.com").state is SubscriberState.ACTIVE


def test_the_money_page_counts_who_holds_which_tier(desk: FlaskClient, weekly: Newsletter) -> None:
    cast.ada()
    cast.grace()
    db.session.commit()

    assert "Supporter none 1" in seen(desk.get("/desk/money"))
