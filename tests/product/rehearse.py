"""Mails a post to its author, as the desk does.

python -m tests.product.rehearse SLUG ADDRESS
"""

import sys

from newsletter.app import create_app
from newsletter.db import db
from newsletter.posts.models import Post
from newsletter.sending import rehearsal

with create_app().app_context():
    post = Post.by_slug(sys.argv[1])
    assert post
    rehearsal.send_test(post, sys.argv[2], "Mara")
    db.session.commit()
