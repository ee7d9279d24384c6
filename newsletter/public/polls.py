"""The pages of a post's question. Opening the link of an answer votes for nothing: programs that scan mail open it."""

from flask import render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from newsletter import links
from newsletter.db import db
from newsletter.guards import limiter
from newsletter.posts import polls
from newsletter.posts.models import Post
from newsletter.public import bp, network, site

FROM_A_NETWORK = "60 per hour"
FROM_EVERYBODY = "20000 per hour"


@bp.get("/p/<slug>/poll/<key>/<int:answer>")
def poll_answer(slug: str, key: str, answer: int) -> str:
    post = site.published(slug)
    poll = polls.find(post, key)
    return render_template("public/poll.html", post=post, poll=poll, chosen=answer)


@bp.post("/p/<slug>/poll/<key>/<int:answer>")
@limiter.shared_limit(FROM_A_NETWORK, scope="poll", key_func=network.of_visitor)
@limiter.shared_limit(FROM_EVERYBODY, scope="poll", key_func=lambda: "everybody")
def poll_vote(slug: str, key: str, answer: int) -> Response:
    post = site.published(slug)
    poll = polls.find(post, key)
    chosen = request.form.get("answer", type=int)
    polls.vote(post, poll, answer if chosen is None else chosen, _voter(post, key))
    db.session.commit()
    return redirect(url_for(".poll_results", slug=slug, key=key), 303)


@bp.get("/p/<slug>/poll/<key>")
def poll_results(slug: str, key: str) -> str:
    post = site.published(slug)
    poll = polls.find(post, key)
    return render_template("public/poll_results.html", post=post, poll=poll, results=polls.results(post, poll))


def _voter(post: Post, key: str) -> str:
    """The same for the same browser from the same network, for this question alone. No cookie is set for it."""
    seen = f"{post.id}\n{key}\n{network.of_visitor()}\n{request.user_agent.string[:400]}"
    return links.fingerprint("poll", seen).hex()
