"""A practice till: a small Stripe of our own, for demos and tests. No money moves, and no card leaves the machine.

It keeps state, as the real one does, and answers in the words of its API of version 2026-10-28. What it cannot do is
listed in docs/billing.md.
"""
