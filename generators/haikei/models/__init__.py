"""Which models may run: licence, data statement and weight hashes."""
