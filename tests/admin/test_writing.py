"""Writing a post at the desk: saved, shown, checked, scheduled, thrown away and taken back."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db
from newsletter.posts import content, publishing
from newsletter.posts.models import Post, PostStatus, Revision
from newsletter.publication.models import Newsletter
from newsletter.sending import start
from tests import cast, factories
from tests.admin.conftest import seen
from tests.doubles import JobQueue, Outbox

XSS = "<script>alert('x')</script>"


def typed(**given: str) -> dict[str, str]:
    return {"title": "On slow mail", "body": "Hello.", "newsletter": "weekly", "audience": "everyone", **given}


def only_post() -> Post:
    db.session.expire_all()
    return db.session.scalars(select(Post)).one()


def source() -> str:
    return content.latest_revision(only_post()).source


def written(**given: str) -> Post:
    post = factories.post(**given)
    db.session.commit()
    return post


def latest_number(post: Post) -> str:
    return str(content.latest_revision(post).number)


def test_what_is_typed_becomes_a_post_with_its_settings(desk: FlaskClient) -> None:
    answer = desk.post(
        "/desk/posts/new",
        data=typed(
            subtitle="A defence: of “waiting”",
            authors="Ken, Ada Lovelace",
            tags="mail",
            series="Letters",
            number="2",
            date="2026-11-01",
            slug="slow",
            subject="Slowly",
            preheader="Wait for it",
            audience="paying",
        ),
    )

    post = only_post()
    assert answer.headers["Location"].startswith(f"/desk/posts/{post.id}")
    assert (post.title, post.subtitle, post.slug) == ("On slow mail", "A defence: of “waiting”", "slow")
    assert (post.authors, post.tags, post.series, post.series_number) == (
        ["Ken", "Ada Lovelace"],
        ["mail"],
        "Letters",
        2,
    )
    assert (post.subject, post.preheader, post.audience.value) == ("Slowly", "Wait for it", "paying")
    assert str(post.dated) == "2026-11-01"


def test_the_editor_shows_again_what_was_saved(desk: FlaskClient) -> None:
    desk.post(
        "/desk/posts/new", data=typed(body="One.\n\n---\n\nTwo & <b>three</b>.", authors="Grace Hopper, PhD; Ken")
    )

    page = desk.get(f"/desk/posts/{only_post().id}")

    assert "Two &amp; &lt;b&gt;three&lt;/b&gt;." in page.text
    assert 'value="Grace Hopper, PhD; Ken"' in page.text
    assert only_post().authors == ["Grace Hopper, PhD", "Ken"]


def test_saving_what_the_editor_shows_changes_nothing(desk: FlaskClient) -> None:
    desk.post("/desk/posts/new", data=typed(body="---\n\nA rule at the start, {name|friend}.\n\n---", tags="a; b, c;"))
    before = source()
    post = only_post()
    from newsletter.admin import manuscript

    shown = manuscript.form_of(post, content.latest_revision(post))
    desk.post(f"/desk/posts/{post.id}", data={name: value or "" for name, value in shown.data.items()})

    assert source() == before
    assert len(db.session.scalars(select(Revision)).all()) == 1


def test_a_pasted_file_with_front_matter_is_taken_as_it_is(desk: FlaskClient) -> None:
    desk.post(
        "/desk/posts/new", data=typed(title="", body="---\r\ntitle: From a file\r\ntags: [x]\r\n---\r\n\r\nText.\r\n")
    )

    assert only_post().title == "From a file"
    assert only_post().tags == ["x"]


def test_a_fault_in_pasted_front_matter_is_shown_with_its_line_and_nothing_is_lost(desk: FlaskClient) -> None:
    answer = desk.post("/desk/posts/new", data=typed(title="", body="---\ntitle: A\ntittle: B\n---\n\nHours of work."))

    assert answer.status_code == 422
    assert "Line 3" in seen(answer)
    assert "Did you mean “title”" in seen(answer)
    assert "Hours of work." in seen(answer)
    assert db.session.scalar(select(Post)) is None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": " "}, "Give it a title"),
        ({"number": "two"}, "A whole number"),
        ({"date": "1.11.2026"}, "Write the date like 2026-05-31."),
        ({"newsletter": "weekley"}, "Did you mean “weekly”?"),
        ({"audience": "nobody"}, "Not a valid choice"),
    ],
)
def test_a_wrong_setting_is_named_beside_its_field_and_nothing_is_lost(
    desk: FlaskClient, wrong: dict[str, str], sentence: str
) -> None:
    answer = desk.post("/desk/posts/new", data=typed(body="Hours of work.", subtitle="And a subtitle", **wrong))

    assert answer.status_code == 422
    assert sentence in seen(answer)
    assert "Hours of work." in seen(answer)
    assert "And a subtitle" in seen(answer)
    assert 'aria-invalid="true"' in answer.text


def test_an_address_that_another_post_has_is_refused_beside_its_field(desk: FlaskClient) -> None:
    written(title="First")

    answer = desk.post("/desk/posts/new", data=typed(slug="first"))

    assert answer.status_code == 422
    assert "Another post already has the address" in seen(answer)


def test_two_people_writing_at_once_overwrite_nothing_unseen(desk: FlaskClient) -> None:
    post = written()
    begun_with = latest_number(post)
    publishing.write("---\ntitle: On slow mail\n---\n\nAda was here.\n", post=post)
    db.session.commit()

    answer = desk.post(f"/desk/posts/{post.id}", data=typed(body="Ken was here.", revision=begun_with))

    assert answer.status_code == 409
    assert "Someone else saved version 2" in seen(answer)
    assert "Ken was here." in seen(answer)
    assert "Ada was here." in source()

    again = desk.post(f"/desk/posts/{post.id}", data=typed(body="Ken was here.", revision="2"))

    assert again.status_code == 302
    assert "Ken was here." in source()


def test_autosave_answers_in_words_and_says_when(desk: FlaskClient) -> None:
    post = written()

    answer = desk.post(
        f"/desk/posts/{post.id}",
        data=typed(body="More.", revision=latest_number(post)),
        headers={"Accept": "application/json"},
    )

    assert answer.json is not None
    assert answer.json["said"].startswith("Saved ")
    assert answer.json["revision"] == 2
    assert "More." in source()


def test_autosave_that_cannot_save_says_why(desk: FlaskClient) -> None:
    answer = desk.post("/desk/posts/new", data=typed(title=""), headers={"Accept": "application/json"})

    assert answer.status_code == 422
    assert answer.json is not None
    assert "Give it a title" in answer.json["said"]


def test_problems_are_listed_with_lines_as_the_editor_counts_them(desk: FlaskClient) -> None:
    desk.post("/desk/posts/new", data=typed(subtitle="x", tags="y", body="First line.\n\n:::nonsense\n:::\n"))

    page = seen(desk.get(f"/desk/posts/{only_post().id}"))

    assert "Line 3: There is no “:::nonsense”" in page


def test_an_earlier_version_comes_back_as_a_new_one(desk: FlaskClient) -> None:
    post = written(title="Before")
    publishing.write("---\ntitle: After\n---\n\nChanged.\n", post=post)
    db.session.commit()

    shown = seen(desk.get(f"/desk/posts/{post.id}/versions/1"))
    desk.post(f"/desk/posts/{post.id}/versions/1/restore")

    assert "title: Before" in shown
    assert only_post().title == "Before"
    assert [revision.number for revision in only_post().revisions] == [1, 2, 3]


def test_the_trash_gives_back_what_it_took(desk: FlaskClient) -> None:
    post = written()

    listed = desk.post(f"/desk/posts/{post.id}/trash", follow_redirects=True)
    assert "is in the trash" in seen(listed)
    assert f'action="/desk/posts/{post.id}/restore"' in listed.text
    assert only_post().trashed_at is not None

    desk.post(f"/desk/posts/{post.id}/restore")

    assert only_post().trashed_at is None


def test_posts_are_found_by_words_and_status(desk: FlaskClient) -> None:
    written(title="A winter list")
    written(title="A summer list")

    assert "A winter list" in seen(desk.get("/desk/posts?words=winter"))
    assert "A summer list" not in seen(desk.get("/desk/posts?words=winter"))
    assert "A winter list" not in seen(desk.get("/desk/posts?status=published"))
    assert "A winter list" in seen(desk.get("/desk/posts?status=nonsense"))


def test_an_empty_desk_teaches(desk: FlaskClient) -> None:
    assert "Nothing written yet" in seen(desk.get("/desk/posts"))
    assert "Nothing has been sent yet" in seen(desk.get("/desk/sends"))
    assert "No readers yet" in seen(desk.get("/desk/readers"))
    assert "Nobody pays for anything yet" in seen(desk.get("/desk/money"))


@pytest.mark.parametrize("view", ["mail", "phone", "text", "web"])
def test_a_preview_shows_the_post_where_nothing_in_it_can_act(desk: FlaskClient, view: str) -> None:
    post = written(title=f"Post {XSS}")

    frame = desk.get(f"/desk/posts/{post.id}/preview/{view}?as=paying")

    policy = frame.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy.replace("default-src", "")
    assert XSS not in frame.text
    assert "&lt;script&gt;" in frame.text


def test_the_frame_of_the_preview_is_sandboxed(desk: FlaskClient) -> None:
    page = desk.get(f"/desk/posts/{written().id}?view=phone&as=paying")

    assert '<iframe title="Preview" sandbox src="/desk/posts/1/preview/phone?as=paying"' in page.text


def test_a_preview_of_what_cannot_be_read_says_so(desk: FlaskClient) -> None:
    post = written(source="---\ntitle: A\n---\n\n:::nonsense\n:::\n")

    assert "Line 1: There is no “:::nonsense”" in seen(desk.get(f"/desk/posts/{post.id}/preview/mail"))


def test_a_stranger_is_shown_no_mail(desk: FlaskClient) -> None:
    assert "A stranger gets no mail" in seen(desk.get(f"/desk/posts/{written().id}/preview/mail?as=stranger"))


def test_titles_are_words_on_every_page(desk: FlaskClient) -> None:
    post = written(title=f"Post {XSS}")

    for path in ("", f"/{post.id}", f"/{post.id}/versions", f"/{post.id}/versions/1", f"/{post.id}/schedule"):
        page = desk.get(f"/desk/posts{path}")
        assert page.status_code == 200
        assert XSS not in page.text
        assert "&lt;script&gt;" in page.text


def test_a_test_mail_goes_to_the_one_who_asked(desk: FlaskClient, jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    post = written(title="On slow mail")

    answer = desk.post(
        f"/desk/posts/{post.id}",
        data=typed(body="Almost done.", revision=latest_number(post), then="test"),
        follow_redirects=True,
    )
    jobs_queue.run()

    assert "A test is on its way to ken@example.com." in seen(answer)
    assert outbox.addresses == ["ken@example.com"]
    assert "On slow mail" in outbox[0]["Subject"]


def test_no_test_mail_is_made_of_what_cannot_be_read(desk: FlaskClient, jobs_queue: JobQueue, outbox: Outbox) -> None:
    post = written()

    answer = desk.post(
        f"/desk/posts/{post.id}",
        data=typed(body=":::nonsense\n:::", revision=latest_number(post), then="test"),
        follow_redirects=True,
    )
    jobs_queue.run()

    assert "No test was sent." in seen(answer)
    assert len(outbox) == 0
    assert ":::nonsense" in source()


def tomorrow() -> str:
    return (clock.now() + timedelta(days=1)).date().isoformat()


def test_a_post_is_scheduled_by_local_time_and_zone(desk: FlaskClient) -> None:
    cast.ada()
    post = written()

    shown = seen(desk.get(f"/desk/posts/{post.id}/schedule"))
    answer = desk.post(
        f"/desk/posts/{post.id}/schedule",
        data={"when": "at", "day": tomorrow(), "time": "09:00", "zone": "America/New_York"},
        follow_redirects=True,
    )

    assert "1 reader of The Weekly" in shown
    local = clock.from_local(f"{tomorrow()} 09:00", "America/New_York")
    assert only_post().status is PostStatus.SCHEDULED
    assert only_post().scheduled_for == local
    assert "09:00 (New York)" in seen(answer)
    assert "15:00 (Berlin)" in seen(answer) or "14:00 (Berlin)" in seen(answer)


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ({"day": "2020-01-01", "time": "09:00", "zone": "Europe/Berlin"}, "has passed"),
        ({"day": "2027-03-28", "time": "02:30", "zone": "Europe/Berlin"}, "does not exist"),
        ({"day": "2027-01-01", "time": "09:00", "zone": "Europe/Atlantis"}, "is not a time zone"),
        ({"day": "soon", "time": "09:00", "zone": "Europe/Berlin"}, "is not a time"),
        ({"day": "2027-01-01", "time": "", "zone": "Europe/Berlin"}, "Choose a time."),
        ({"day": "2027-01-01", "time": "09:00", "zone": "../../etc/passwd"}, "is not a time zone"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_a_sentence(
    desk: FlaskClient, plan: dict[str, str], sentence: str
) -> None:
    post = written()

    answer = desk.post(f"/desk/posts/{post.id}/schedule", data={"when": "at", **plan})

    assert answer.status_code == 422
    assert sentence in seen(answer)
    assert only_post().status is PostStatus.DRAFT


def test_the_chosen_time_is_said_before_anything_is_decided(desk: FlaskClient) -> None:
    said = desk.get(f"/desk/posts/when?when=at&day={tomorrow()}&time=09:00&zone=Europe/Berlin")
    past = desk.get("/desk/posts/when?when=at&day=2020-01-01&time=09:00&zone=Europe/Berlin")

    assert "Goes out" in seen(said)
    assert "09:00 (Berlin), in" in seen(said)
    assert "has passed" in seen(past)


def test_a_post_with_a_fault_is_not_scheduled(desk: FlaskClient) -> None:
    post = written(source="---\ntitle: A\n---\n\n:::nonsense\n:::\n")

    answer = desk.post(f"/desk/posts/{post.id}/schedule", data={"when": "now"})

    assert answer.status_code == 422
    assert only_post().status is PostStatus.DRAFT


def test_a_scheduled_post_can_be_taken_back(desk: FlaskClient) -> None:
    post = written()
    desk.post(
        f"/desk/posts/{post.id}/schedule",
        data={"when": "at", "day": tomorrow(), "time": "09:00", "zone": "Europe/Berlin"},
    )

    answer = desk.post(f"/desk/posts/{post.id}/unschedule", follow_redirects=True)

    assert "is a draft again. Nothing was sent." in seen(answer)
    assert only_post().status is PostStatus.DRAFT


def test_now_means_now(desk: FlaskClient, jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    cast.linus()
    post = written()

    desk.post(f"/desk/posts/{post.id}/schedule", data={"when": "now"})
    jobs_queue.run()

    assert outbox.addresses == ["ada@example.com"]


def test_editing_what_was_sent_changes_the_page_and_says_so(desk: FlaskClient, weekly: Newsletter) -> None:
    cast.ada()
    post = written()
    publishing.schedule(post, clock.now(), "Europe/Berlin")
    db.session.flush()
    start.start(post.id)
    db.session.commit()

    page = seen(desk.get(f"/desk/posts/{post.id}"))
    answer = desk.post(f"/desk/posts/{post.id}", data=typed(body="Corrected.", revision=latest_number(post)))

    assert "You can still change the page; what was sent does not change." in page
    assert answer.status_code == 302
    assert "Corrected." in source()


def test_the_size_of_the_mail_stands_beside_its_preview(desk: FlaskClient, weekly: Newsletter) -> None:
    post = written()
    page = desk.get(f"/desk/posts/{post.id}")
    answer = desk.post(
        f"/desk/posts/{post.id}",
        data=typed(body="More.", revision=latest_number(post)),
        headers={"Accept": "application/json"},
    )

    for shown in (page.text, answer.json["problems"]):  # type: ignore[index]  # it is JSON
        assert "of the 102 kB that Gmail shows." in shown
        assert '<rect class="k-accepted"' in shown
