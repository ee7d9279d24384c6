"""What came back, at the desk: who, in whose words, and what it means."""

import pytest
from flask.testing import FlaskClient

from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.sending.models import Bounce, BounceKind, Mailing, MailingState, Reply
from newsletter.subscribers.models import Subscriber
from tests import cast
from tests.admin.conftest import seen
from tests.sending import mailings


@pytest.fixture
def sent(weekly: Newsletter) -> tuple[Mailing, Subscriber, Subscriber]:
    ada, grace = cast.ada(), cast.grace()
    return mailings.sent(), ada, grace


Sent = tuple[Mailing, Subscriber, Subscriber]


def came_back(mailing: Mailing, reader: Subscriber, kind: BounceKind, words: str, status: str = "") -> None:
    db.session.add(
        Bounce(mailing_id=mailing.id, subscriber_id=reader.id, kind=kind, status=status, words=words, source="mail")
    )
    db.session.commit()


def test_a_mailing_of_which_nothing_came_back_says_nothing_about_it(desk: FlaskClient, sent: Sent) -> None:
    page = seen(desk.get(f"/desk/sends/{sent[0].id}"))

    assert "No such mailbox" not in page
    assert "Readers wrote" not in page


def test_the_page_of_a_mailing_shows_what_came_back_with_who_and_the_words(desk: FlaskClient, sent: Sent) -> None:
    mailing, ada, grace = sent
    came_back(mailing, ada, BounceKind.HARD, "550 <b>no such user</b>", "5.1.1")
    came_back(mailing, grace, BounceKind.BLOCKED, "554 blocked by policy", "5.7.1")
    came_back(mailing, grace, BounceKind.COMPLAINT, "")

    answer = desk.get(f"/desk/sends/{mailing.id}")
    page = seen(answer)

    assert "No such mailbox: 1 of 2 answered They are never written to again." in page
    assert "ada@example.com 5.1.1 550 <b>no such user</b>" in page
    assert "&lt;b&gt;" in answer.text
    assert "Blocked: 1 of 2 answered" in page
    assert "grace@example.com 5.7.1 554 blocked by policy" in page
    assert page.index("Complaints: 1 of 2") < page.index("No such mailbox: 1 of 2")


def test_what_a_reader_wrote_is_shown_at_the_mailing(desk: FlaskClient, sent: Sent) -> None:
    mailing, ada, _ = sent
    db.session.add(
        Reply(mailing_id=mailing.id, subscriber_id=ada.id, sender="ada@example.com", words="I <i>read</i> it twice.")
    )
    db.session.add(Reply(mailing_id=mailing.id, sender="who@example.net", words="So did I."))
    db.session.commit()

    page = seen(desk.get(f"/desk/sends/{mailing.id}"))
    all_of_them = seen(desk.get(f"/desk/sends/{mailing.id}/replies"))

    for shown in (page, all_of_them):
        assert "I <i>read</i> it twice." in shown
        assert "who@example.net So did I." in shown
    assert "Readers wrote: 2" in page


def test_many_are_shown_page_by_page(desk: FlaskClient, sent: Sent) -> None:
    mailing = sent[0]
    for number in range(120):
        db.session.add(
            Bounce(mailing_id=mailing.id, subscriber_id=1000 + number, kind=BounceKind.HARD, source="mail", words="no")
        )
    db.session.commit()
    assert "All 120" in seen(desk.get(f"/desk/sends/{mailing.id}"))

    found: list[str] = []
    address = f"/desk/sends/{mailing.id}/came-back/hard"
    while address:
        answer = desk.get(address)
        found += [word for word in seen(answer).split() if word.isdigit() and len(word) == 4]
        address = answer.text.partition('href="/desk/sends/1/came-back/hard?before=')[2].partition('"')[0]
        address = f"/desk/sends/{mailing.id}/came-back/hard?before={address}" if address else ""

    assert sorted(found, key=int) == [str(number) for number in range(1000, 1120)]


def test_kinds_that_do_not_exist_are_not_found(desk: FlaskClient, sent: Sent) -> None:
    assert desk.get(f"/desk/sends/{sent[0].id}/came-back/nonsense").status_code == 404
    assert desk.get("/desk/sends/99/came-back/hard").status_code == 404
    assert desk.get("/desk/sends/99/replies").status_code == 404


def test_the_page_of_a_reader_shows_what_came_back_from_them(desk: FlaskClient, sent: Sent) -> None:
    mailing, ada, grace = sent
    came_back(mailing, ada, BounceKind.SOFT, "552 mailbox full", "5.2.2")

    assert "What came back" not in seen(desk.get(f"/desk/readers/{grace.id}"))
    page = seen(desk.get(f"/desk/readers/{ada.id}"))

    assert "On slow mail Came back for now 5.2.2 552 mailbox full" in page


def test_a_held_mailing_says_why_and_can_go_on(desk: FlaskClient, sent: Sent) -> None:
    mailing, _, _ = sent
    mailing.state, mailing.held_because = MailingState.HELD, "Too many messages came back: 34 of 1,000."
    db.session.commit()

    page = seen(desk.get(f"/desk/sends/{mailing.id}"))
    desk.post(f"/desk/sends/{mailing.id}/go-on")

    assert "Too many messages came back: 34 of 1,000. Nothing leaves until you say go on." in page
    db.session.expire_all()
    assert mailing.state is MailingState.SENDING
    assert mailing.breaker_off_at is not None
