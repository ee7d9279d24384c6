"""All models, for the migrations: importing this module fills the metadata."""

import newsletter.accounts.models
import newsletter.billing.models
import newsletter.posts.models
import newsletter.publication.models
import newsletter.sending.models
import newsletter.subscribers.models
import newsletter.tiers.models  # noqa: F401
