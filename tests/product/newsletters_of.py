"""Prints what a reader gets, a newsletter a line.

python -m tests.product.newsletters_of ADDRESS
"""

import sys

from newsletter.app import create_app
from newsletter.subscribers.models import Subscriber

with create_app().app_context():
    reader = Subscriber.by_key(sys.argv[1])
    print("\n".join(newsletter.name for newsletter in reader.newsletters) if reader else "")
