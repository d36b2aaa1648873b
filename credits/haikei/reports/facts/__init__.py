"""What the records say, gathered for reports."""
