"""Money from readers: what they buy at the payment provider, and what its events mean here."""

PRACTICE_KEY = "sk_test_practice"  # opens the till of BILLING=test, and nothing else
