"""How rows are found: filters, sorting, summaries, searches."""
