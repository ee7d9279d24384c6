"""A publication with a logo, two newsletters, earlier issues, one that waits to be sent, and the readers.

python -m tests.product.settle PASSWORD, with the settings of a running product.
"""

import sys

from newsletter.app import create_app
from newsletter.billing import PRACTICE_KEY, connecting
from newsletter.db import db
from newsletter.publication.models import Newsletter, Publication
from newsletter.subscribers import leaving
from newsletter.up import demo_house
from tests import factories
from tests.product.readers import READERS

with create_app().app_context():
    demo_house.settle(sys.argv[1])
    for reader in READERS:
        made = factories.subscriber(reader.email, name=reader.name, on=Newsletter.open()[:1], source="import")
        if reader.is_paying:
            factories.member(made)
        if reader.has_left:
            leaving.leave(made.id, None)
    connecting.connect(Publication.current(), PRACTICE_KEY)
    db.session.commit()
