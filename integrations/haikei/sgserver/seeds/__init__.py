"""What a fresh site holds, and small studios to try things with."""
