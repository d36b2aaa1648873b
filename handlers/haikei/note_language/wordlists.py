"""Word lists as they read best: one text, with commas."""


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list, in its order."""
    return tuple(word for part in text.split(",") if (word := part.strip()))
