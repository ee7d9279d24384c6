"""Readers by the hundred thousand, on newsletters of several sizes, and the post they all get."""

from dataclasses import dataclass

import psycopg
from sqlalchemy import text

from newsletter.db import db
from newsletter.publication.models import Newsletter, Publication
from newsletter.tiers.models import Tier
from newsletter.up.demo_names import FIRST, LAST, handle

# As domains are spread among readers: a few large ones, and a long tail.
_DOMAINS = ["mail.example.com"] * 9 + ["post.example.net"] * 5 + ["example.org"] * 3 + ["uni.example.net"] * 2
_OF_THEIR_OWN = "d{0}.example.com"
_PAYING_EVERY = 40  # one reader in so many
_NAMELESS_EVERY = 5

WARM_UP, TEN_THOUSAND, AUDIENCE, LARGEST = "warm-up", "ten-thousand", "audience", "largest"


@dataclass(frozen=True)
class Sizes:
    """How many readers each newsletter has, and how much each rival sends."""

    warm_up: int = 4_000  # enough chunks for every process of a worker to have had one
    ten_thousand: int = 10_000
    audience: int = 100_000
    largest: int = 1_000_000
    signups: int = 10_000
    source: int = 50_000  # messages of smtp-source
    plain: int = 2_000  # messages of the plain loop
    round_trips: int = 3_000  # messages at 20 ms, ours; smtplib gets a third

    def of(self, slug: str) -> int:
        return {
            WARM_UP: self.warm_up,
            TEN_THOUSAND: self.ten_thousand,
            AUDIENCE: self.audience,
            LARGEST: self.largest,
        }[slug]


QUICK = Sizes(
    warm_up=2_000,
    ten_thousand=2_000,
    audience=6_000,
    largest=20_000,
    signups=200,
    source=6_000,
    plain=200,
    round_trips=600,
)


def seed(publication: Publication, sizes: Sizes, slugs: tuple[str, ...], database_url: str) -> None:
    """Confirmed readers with names and addresses from everywhere, on newsletters of these names. Commits."""
    newsletters = {slug: _newsletter(publication, slug) for slug in slugs}
    tier = Tier(publication_id=publication.id, slug="supporter", name="Supporter")
    db.session.add(tier)
    db.session.flush()
    _write_readers(publication.id, max(map(sizes.of, slugs)))
    for slug, newsletter in newsletters.items():
        db.session.execute(
            text("""
                INSERT INTO subscription (subscriber_id, newsletter_id, joined_at, reason)
                SELECT id, :newsletter, confirmed_at, '' FROM subscriber ORDER BY id LIMIT :size
            """),
            {"newsletter": newsletter.id, "size": sizes.of(slug)},
        )
    db.session.execute(
        text("""
            INSERT INTO membership (subscriber_id, tier_id, started_at)
            SELECT id, :tier, now() - interval '30 days' FROM subscriber WHERE id % :every = 0
        """),
        {"tier": tier.id, "every": _PAYING_EVERY},
    )
    db.session.commit()
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")  # else the first mailing would pay for what the seeding left behind


def _newsletter(publication: Publication, slug: str) -> Newsletter:
    made = Newsletter(
        publication_id=publication.id,
        slug=slug,
        name=f"The {slug.title()} Letter",
        sender_name="Ken at Slow Letters",
        sender_email="ken@letters.example.org",
    )
    db.session.add(made)
    db.session.flush()
    return made


def _write_readers(publication_id: int, count: int) -> None:
    first = [each.rsplit(" ", 1) for each in FIRST]
    db.session.execute(
        text("""
            INSERT INTO subscriber (publication_id, email, email_key, name, source, created_at, confirmed_at)
            SELECT :publication, address, address, name, 'import', since, since
            FROM generate_series(1, :count) AS number
            CROSS JOIN LATERAL (SELECT
                1 + number % cardinality(CAST(:names AS text[])) AS first,
                1 + number / 7 % cardinality(CAST(:surnames AS text[])) AS last,
                1 + number % cardinality(CAST(:domains AS text[])) AS domain,
                now() - interval '1 minute' * (number % 900000) AS since
            ) AS chosen
            CROSS JOIN LATERAL (SELECT
                (CAST(:handles AS text[]))[first] || '.' || (CAST(:surhandles AS text[]))[last] || number || '@'
                    || CASE WHEN number % 5 = 0 THEN replace(:own, '{0}', CAST(number % 20000 AS text))
                            ELSE (CAST(:domains AS text[]))[domain] END AS address,
                CASE WHEN number % :nameless = 0 THEN ''
                     ELSE (CAST(:names AS text[]))[first] || ' ' || (CAST(:surnames AS text[]))[last] END AS name
            ) AS person
        """),
        {
            "publication": publication_id,
            "count": count,
            "names": [name for name, _ in first],
            "handles": [written for _, written in first],
            "surnames": LAST,
            "surhandles": [handle(name).replace("'", "") for name in LAST],
            "domains": _DOMAINS,
            "own": _OF_THEIR_OWN,
            "nameless": _NAMELESS_EVERY,
        },
    )


def post_source(title: str) -> str:
    """A post of some 1,000 words: with its text part and its links, 30 KB as it goes over the wire."""
    sections = "\n\n".join(_section(number) for number in range(1, 6))
    return f"---\ntitle: {title}\nsubtitle: What a letter is for\n---\n\nDear {{name|reader}},\n\n{sections}\n"


def _section(number: int) -> str:
    link = f"[the notes to part {number}](https://notes.example.org/letters/{number})"
    return (
        f"## Part {number}: what the post brought\n\n"
        f"A letter that comes once a week is read in another mood than one that comes whenever its writer feels like "
        f"it. People keep a place for it, the way they keep a chair free at a table; for part {number} that place was "
        f"a kitchen in the north, with the radio on and the rain at the window, and nobody in a hurry to be elsewhere. "
        f"You will find {link} where they always are.\n\n"
        f"- what was asked {number} times, and never answered\n- what was answered before anybody had asked\n"
        f"- what is better said in a *letter* than in a **meeting**\n\n"
        f"> Write as if to one person, and let everybody else read over that person’s shoulder.\n\n"
        f"The oldest rule of the trade is also the shortest: say what happened, then say what it meant, then stop. "
        f"Most of us manage the first, hurry through the second and forget the third. This week’s mail bag had "
        f"{number + 3} replies that managed all of it, and I have put the best of them at the end, with thanks to "
        f"everybody who took the time to sit down and write by hand what could have been sent with one thumb."
    )
