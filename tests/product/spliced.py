"""Prints what a mailing would hand over now, as JSON: the address of each reader, and their message.

python -m tests.product.spliced MAILING_ID
"""

import json
import sys

from sqlalchemy import select

from newsletter.app import create_app
from newsletter.db import db
from newsletter.sending import letters
from newsletter.subscribers.models import Subscriber
from newsletter.tiers.models import Membership

with create_app().app_context():
    frozen = letters.load(int(sys.argv[1]))
    paying = set(db.session.scalars(select(Membership.subscriber_id).where(Membership.is_current())))
    messages = {}
    for reader in db.session.scalars(select(Subscriber).where(Subscriber.email.is_not(None))):
        reader.kind = "paying" if reader.id in paying else "free"  # type: ignore[attr-defined]
        messages[str(reader.email)] = frozen.message_for(reader).content.decode("ascii")  # type: ignore[arg-type]
    print(json.dumps(messages))
