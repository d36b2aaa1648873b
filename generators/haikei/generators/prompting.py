"""Prompts: a recipe's words with the place, the season and the time of day in them."""

from haikei.presets import SEASONS, TIMES


def fill_prompt(text: str, *, place: str, season: str, time: str) -> str:
    """
    Return `text` with `{place}`, `{season}` and `{time}` filled in.

    Seasons and times become the words that models know; others are taken as they are. Phrases
    left empty, as by an unknown place, are dropped with their comma.
    """
    words = {
        "{place}": place,
        "{season}": SEASONS[season].prompt if season in SEASONS else season,
        "{time}": TIMES[time].prompt if time in TIMES else time,
    }
    for token, word in words.items():
        # Not str.format: a recipe's braces must not reach into our objects.
        text = text.replace(token, word)
    return ", ".join(phrase for part in text.split(",") if (phrase := part.strip()))
