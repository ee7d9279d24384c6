"""What the desk says before a post goes out: errors block, warnings want a tick, and the tick is remembered."""

import re
import shutil
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.posts import preflight, publishing
from newsletter.posts.models import LinkCheck, LinkState, Post, PostStatus, Revision, SpamCheck, Tick
from newsletter.publication.models import Publication
from newsletter.sending import spam_check, start
from newsletter.tiers import catalogue
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Tier
from tests import factories
from tests.admin.conftest import seen
from tests.doubles import JobQueue

HEAD = "---\ntitle: On slow mail\nsubtitle: A defence of waiting\n---\n\n"
DOUBTFUL = HEAD + "See [here](https://example.com/a).\n"


def written(source: str = DOUBTFUL) -> Post:
    post = factories.post(source=source)
    db.session.commit()
    return post


def key_of(post: Post, code: str) -> str:
    return next(finding.key for finding in preflight.problems(post) if finding.code == code)


def schedule(desk: FlaskClient, post: Post, *accepted: str) -> str:
    return seen(
        desk.post(
            f"/desk/posts/{post.id}/schedule", data={"when": "now", "accept": list(accepted)}, follow_redirects=True
        )
    )


def status(post: Post) -> PostStatus:
    db.session.expire_all()
    return db.session.get_one(Post, post.id).status


def test_a_warning_wants_a_tick_before_the_post_is_scheduled(desk: FlaskClient) -> None:
    post = written()

    refused = desk.post(f"/desk/posts/{post.id}/schedule", data={"when": "now"})

    assert refused.status_code == 422
    assert "One warning is not ticked." in seen(refused)
    assert "Send anyway : “here” does not say where it leads" in seen(refused)
    assert status(post) is PostStatus.DRAFT

    schedule(desk, post, key_of(post, "vague_link"))

    assert status(post) is PostStatus.SCHEDULED


def test_an_error_blocks_however_much_is_ticked(desk: FlaskClient) -> None:
    post = written(HEAD + "Dear {{name}},\n")

    said = schedule(desk, post, "foreign_field", key_of(post, "foreign_field"))

    assert "is a merge field of another program" in said
    assert "This must be mended" in said
    assert status(post) is PostStatus.DRAFT


def test_a_tick_lasts_while_the_finding_says_the_same(desk: FlaskClient) -> None:
    post = written()
    schedule(desk, post, key_of(post, "vague_link"))
    desk.post(f"/desk/posts/{post.id}/unschedule")

    publishing.write(DOUBTFUL.replace("See", "Some words above.\n\nSee"), post=post)
    db.session.commit()
    assert re.search(r'value="vague_link-[0-9a-f]+"[^>]* checked>', desk.get(f"/desk/posts/{post.id}/schedule").text)
    publishing.schedule(post, clock.now(), "UTC")
    db.session.rollback()

    publishing.write(DOUBTFUL.replace("/a", "/b"), post=post)  # another link: another question
    db.session.commit()
    assert "One warning is not ticked." in schedule(desk, post)


def test_whoever_takes_a_tick_away_is_asked_again(desk: FlaskClient) -> None:
    post = written()
    desk.post(f"/desk/posts/{post.id}/accept", data={"key": key_of(post, "vague_link")})
    assert "It is sent as it is." in seen(desk.get(f"/desk/posts/{post.id}"))

    schedule(desk, post)  # the box was there, and is not ticked

    assert status(post) is PostStatus.DRAFT
    db.session.expire_all()
    desk.post(f"/desk/posts/{post.id}/accept", data={"key": key_of(post, "vague_link")})
    desk.post(f"/desk/posts/{post.id}/object", data={"key": key_of(post, "vague_link")})
    assert db.session.scalars(select(Tick)).all() == []


def test_only_what_was_found_can_be_ticked(desk: FlaskClient) -> None:
    post = written()

    desk.post(f"/desk/posts/{post.id}/accept", data={"key": "something-else"})

    assert db.session.scalars(select(Tick)).all() == []


def test_a_link_that_dies_after_the_scheduling_does_not_stop_the_mailing(desk: FlaskClient) -> None:
    post = written(HEAD + "See [the notes](https://example.com/a).\n")
    schedule(desk, post)
    db.session.add(LinkCheck(url="https://example.com/a", state=LinkState.DEAD, status=404, words="Gone."))
    db.session.commit()

    assert start.start(post.id) is not None


def test_each_finding_has_its_line_and_the_words_of_it(desk: FlaskClient) -> None:
    post = written(HEAD + "Hello.\n\nSee [here](https://example.com/a) or [this](/b).\n")

    page = desk.get(f"/desk/posts/{post.id}")

    assert f'href="/desk/posts/{post.id}#line-3" data-line="3"' in page.text
    assert "This must be mended Line 3: This link would be shown with its brackets" in seen(page)
    assert "This is your choice Line 3: “here” does not say" in seen(page)
    assert "See [here](https://example.com/a) or [this](/b)." in re.sub("<[^>]+>", "", page.text.split("problems")[-1])


def test_links_are_asked_when_a_post_is_saved_and_again_on_request(desk: FlaskClient, jobs_queue: JobQueue) -> None:
    data = {"title": "A", "subtitle": "B", "newsletter": "weekly", "audience": "everyone"}
    desk.post("/desk/posts/new", data={**data, "body": "No link."})
    assert not jobs_queue.waiting

    desk.post("/desk/posts/new", data={**data, "title": "C", "body": "A [word](https://example.com/x)."})
    assert [job for job, _ in jobs_queue.waiting] == [Job.CHECK_POST]

    post = db.session.scalars(select(Post).where(Post.title == "C")).one()
    db.session.add(LinkCheck(url="https://example.com/x", state=LinkState.UNKNOWN, status=403, words="It said no."))
    db.session.commit()
    page = seen(desk.get(f"/desk/posts/{post.id}"))
    assert "This could not be checked Line 1: https://example.com/x could not be checked. It said no." in page
    assert "Check again" in page

    desk.get(f"/desk/posts/{post.id}/check")
    assert db.session.scalar(select(LinkCheck)) is not None
    desk.post(f"/desk/posts/{post.id}/check")
    db.session.expire_all()
    assert db.session.scalar(select(LinkCheck)) is None
    assert len(jobs_queue.waiting) == 2


def test_what_a_finding_quotes_is_words(desk: FlaskClient) -> None:
    post = written(HEAD + "TK <script>alert(1)</script> [<b>](</script>)\n")

    assert "<script>alert" not in desk.get(f"/desk/posts/{post.id}").text
    assert "<script>alert" not in desk.get(f"/desk/posts/{post.id}/schedule").text


# The spam filter


def judged(post: Post, points: float, rules: list[str]) -> None:
    revision = db.session.scalars(select(Revision).where(Revision.post_id == post.id)).one()
    db.session.add(SpamCheck(revision_id=revision.id, points=points, rules=rules))
    db.session.commit()


def test_what_the_spam_filter_says_is_a_warning_with_its_rules(desk: FlaskClient) -> None:
    post = written(HEAD + "Hello.\n")
    judged(post, 1.2, ["1.2 LOUD Loud words"])
    assert preflight.problems(post) == []

    other = written("---\ntitle: Other\nsubtitle: B\n---\n\nHello.\n")
    judged(other, 3.4, ["3.4 LOUD Loud words"])

    (finding,) = preflight.problems(other)
    assert (finding.level, finding.code) == ("warning", "spam_points")
    assert "3.4 points" in finding.sentence
    assert "LOUD Loud words" in finding.sentence


def test_without_a_spam_filter_nothing_is_missing(desk: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    post = written(HEAD + "Hello.\n")

    spam_check.check(post.id)

    assert db.session.scalars(select(SpamCheck)).all() == []
    assert preflight.problems(post) == []


def test_a_spam_filter_that_hangs_or_fails_is_left_alone(desk: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    post = written(HEAD + "Hello.\n")
    monkeypatch.setattr(shutil, "which", lambda _: "/bin/false")
    monkeypatch.setattr(spam_check, "PROGRAM", "/bin/false")

    spam_check.check(post.id)

    assert db.session.scalars(select(SpamCheck)).all() == []


@pytest.mark.judges
def test_spamassassin_is_asked_and_understood(desk: FlaskClient) -> None:
    words = (
        "Viagra cialis, click here, 100% free! Act now. Million dollars. Dear friend, wire transfer to Nigeria. " * 5
    )
    post = written(f"---\ntitle: BUY VIAGRA NOW FREE!!!\nsubtitle: B\n---\n\n{words}\n")

    spam_check.check(post.id)
    db.session.commit()

    found = db.session.scalars(select(SpamCheck)).one()
    assert found.points > 1
    assert any("DRUG" in rule or "SUBJ" in rule for rule in found.rules)


# The preview lab


def frame(desk: FlaskClient, post: Post, view: str, **asked: str) -> str:
    query = "&".join(f"{name}={quote(value)}" for name, value in asked.items())
    answer = desk.get(f"/desk/posts/{post.id}/lab/{view}?{query}")
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    return answer.text


LETTER = HEAD + (
    "Dear {name|reader},\n\n![A cat asleep](https://example.com/cat.png){width=40 height=40}\n\n"
    ":::only paying\nOnly for those who pay.\n:::\n\n:::subscribe\n"
)


def test_the_lab_shows_every_place_in_a_frame_where_nothing_can_act(desk: FlaskClient) -> None:
    post = written(LETTER)

    page = desk.get(f"/desk/posts/{post.id}/lab?as=free&name=Ada")

    for view in ("mail", "phone", "no-pictures", "dark", "page", "text"):
        address = f"/desk/posts/{post.id}/lab/{view}?as=free&amp;name=Ada"
        assert re.search(rf'<iframe title="[\w ]+" sandbox loading="lazy" src="{re.escape(address)}">', page.text), view
        assert "Dear" in frame(desk, post, view)
    assert "Dear Grace" in frame(desk, post, "mail", name="Grace")
    assert "Dear reader" in frame(desk, post, "mail", name=" ")


def test_dark_is_truly_dark_and_light_is_light_for_whoever_looks(desk: FlaskClient) -> None:
    post = written(LETTER)

    assert "prefers-color-scheme" not in frame(desk, post, "dark") + frame(desk, post, "mail")
    assert "@media all" in frame(desk, post, "dark")
    assert "@media not all" in frame(desk, post, "mail")


def test_without_pictures_their_words_stand_in_their_places(desk: FlaskClient) -> None:
    post = written(LETTER)

    answer = desk.get(f"/desk/posts/{post.id}/lab/no-pictures")

    assert "cat.png" in frame(desk, post, "mail")
    assert "cat.png" not in answer.text
    assert 'alt="A cat asleep"' in answer.text
    assert "img-src 'none'" in answer.headers["Content-Security-Policy"]


def test_each_kind_of_reader_sees_what_they_get(desk: FlaskClient) -> None:
    from newsletter.publication.models import Publication
    from newsletter.tiers.models import Tier

    db.session.add(Tier(publication_id=Publication.current().id, slug="gold", name="Gold & more"))
    post = written(LETTER)

    assert "A paying reader (Gold &amp; more)" in desk.get(f"/desk/posts/{post.id}/lab").text
    assert "Only for those who pay" in frame(desk, post, "mail", **{"as": "tier-gold"})
    assert "Only for those who pay" not in frame(desk, post, "mail", **{"as": "free"})
    assert "A stranger gets no mail" in frame(desk, post, "mail", **{"as": "stranger"})
    assert "Dear reader" in frame(desk, post, "page", **{"as": "stranger"})


def test_a_reader_of_ours_is_found_by_name_and_seen_as_what_they_are(desk: FlaskClient) -> None:
    from tests import cast

    cast.ada(), cast.grace()
    post = written(LETTER)

    page = desk.get(f"/desk/posts/{post.id}/lab?reader=grace&as=free")
    assert "As grace@example.com (Grace) sees it: a paying reader." in seen(page)
    assert "Dear Grace" in frame(desk, post, "mail", reader="grace")
    assert "Only for those who pay" in frame(desk, post, "mail", reader="grace")
    assert "Only for those who pay" not in frame(desk, post, "mail", reader="ada@example.com")
    assert "/leave/" not in frame(desk, post, "mail", reader="grace")
    assert "No reader is called “Nobody”" in seen(desk.get(f"/desk/posts/{post.id}/lab?reader=Nobody"))


def test_a_post_for_paying_readers_only_shows_others_no_mail(desk: FlaskClient) -> None:
    post = written(HEAD.replace("---\n\n", "audience: paying\n---\n\n") + "The secret.\n")

    assert "The secret" not in frame(desk, post, "mail", **{"as": "free"})
    assert "goes to those alone who may read it" in frame(desk, post, "mail", **{"as": "free"})
    assert "The secret" not in frame(desk, post, "page", **{"as": "free"})
    assert "The secret" in frame(desk, post, "mail", **{"as": "paying"})


def test_an_earlier_version_can_be_looked_at(desk: FlaskClient) -> None:
    post = written(HEAD + "The first words.\n")
    publishing.write(HEAD + "The second words.\n", post=post)
    db.session.commit()

    assert "The first words" in frame(desk, post, "mail", revision="1")
    assert "The second words" in frame(desk, post, "mail")
    assert desk.get(f"/desk/posts/{post.id}/lab/mail?revision=9").status_code == 404
    assert desk.get(f"/desk/posts/{post.id}/lab/nonsense").status_code == 404


def test_what_cannot_be_read_is_said_in_every_frame(desk: FlaskClient) -> None:
    post = written(HEAD + ":::nonsense\n:::\n")

    assert desk.get(f"/desk/posts/{post.id}/lab").status_code == 200
    assert "There is no “:::nonsense”" in frame(desk, post, "dark")


def test_the_lab_is_the_letter_that_is_sent(desk: FlaskClient) -> None:
    from newsletter.sending import rehearsal

    post = written(LETTER)
    shown = frame(desk, post, "mail")
    sent = rehearsal.preview(post).html

    def words(html: str) -> str:
        return re.sub(r"(?s)<style.*?</style>", "", html)

    assert words(shown) == words(sent)


def test_the_lab_and_its_frames_want_a_signed_in_person(client: FlaskClient, desk: FlaskClient) -> None:
    post = written(LETTER)
    stranger = client.application.test_client()

    assert stranger.get(f"/desk/posts/{post.id}/lab").status_code == 302
    assert stranger.get(f"/desk/posts/{post.id}/lab/mail").status_code == 302
    assert stranger.post(f"/desk/posts/{post.id}/accept").status_code == 403
    assert stranger.post(f"/desk/posts/{post.id}/check").status_code == 403


def test_a_post_for_chosen_tiers_is_seen_as_each_kind_of_reader_sees_it(desk: FlaskClient) -> None:
    for name in ("Friends", "Patrons"):
        catalogue.add(Publication.current(), Listing(name=name))
    db.session.commit()
    post = written(HEAD.replace("---\n\n", "tiers: patrons\n---\n\n") + "The beginning.\n\n:::paywall\n\nThe secret.\n")

    assert "The secret" in frame(desk, post, "mail", **{"as": "tier-patrons"})
    assert "The secret" not in frame(desk, post, "mail", **{"as": "tier-friends"})
    assert "Switch in your account" in frame(desk, post, "page", **{"as": "tier-friends"})
    assert "as a reader who pays for another tier" in desk.get(f"/desk/posts/{post.id}").text
    assert "Switch in your account" in desk.get(f"/desk/posts/{post.id}/preview/web?as=other").text


def test_tiers_are_ticked_in_the_settings_of_a_post(desk: FlaskClient) -> None:
    for name in ("Friends", "Patrons"):
        catalogue.add(Publication.current(), Listing(name=name))
    db.session.commit()
    fields = {"title": "For patrons", "body": "Words.", "newsletter": "weekly", "revision": "0"}

    desk.post("/desk/posts/new", data=fields | {"audience": "paying", "tiers": ["patrons"]})
    desk.post("/desk/posts/new", data=fields | {"title": "For all", "audience": "everyone", "tiers": ["patrons"]})

    posts = {post.title: post for post in db.session.scalars(select(Post))}
    patrons = Tier.by_slug("patrons")
    assert patrons
    assert posts["For patrons"].tier_ids == [patrons.id]
    assert posts["For all"].tier_ids == []
    page = desk.get(f"/desk/posts/{posts['For patrons'].id}").text
    assert re.search(r'<input checked id="tiers-\d" name="tiers" type="checkbox" value="patrons">', page)
