"""The reader's own rooms: sign-in, and the account behind it."""

from newsletter.public.account import browsers, feed, home, plans, seats, sign_in

__all__ = ["browsers", "feed", "home", "plans", "seats", "sign_in"]
