"""Returns when the mailing of a post has finished, and prints its number.

python -m tests.product.finished SLUG
"""

import sys
import time

from sqlalchemy import select

from newsletter.app import create_app
from newsletter.db import db
from newsletter.posts.models import Post
from newsletter.sending.models import Mailing

with create_app().app_context():
    until = time.monotonic() + 90
    newest = select(Mailing).join(Mailing.post).where(Post.slug == sys.argv[1]).order_by(Mailing.id.desc()).limit(1)
    while (mailing := db.session.scalar(newest)) is None or mailing.finished_at is None:
        if time.monotonic() > until:
            sys.exit(f"{sys.argv[1]} is still on its way after 90 seconds")
        db.session.rollback()
        time.sleep(0.2)
    print(mailing.id)
