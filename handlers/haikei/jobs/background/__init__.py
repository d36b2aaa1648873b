"""The job of a background: collect, validate, generate, extract, record, integrate."""
