"""Saves a post as its author would.

python -m tests.product.write SOURCE
"""

import sys

from newsletter.app import create_app
from newsletter.db import db
from newsletter.posts import publishing

with create_app().app_context():
    publishing.write(sys.argv[1])
    db.session.commit()
