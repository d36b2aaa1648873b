"""What supervisors decide, and what follows from it."""
