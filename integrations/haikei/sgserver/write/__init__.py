"""How rows change: validation, links, retiring, and what the event log keeps of it."""
