"""Everything on one machine: PostgreSQL, Valkey, the local inbox, and the processes of the product."""
