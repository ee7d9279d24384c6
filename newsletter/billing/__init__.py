"""Money from readers: what they buy at the payment provider, and what its events mean here."""
