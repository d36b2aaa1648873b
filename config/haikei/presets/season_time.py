"""Seasons and times of day, in the words of prompts and of people."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One term in English, in Japanese, and as prompts say it."""

    en: str
    ja: str
    prompt: str


SEASONS: Mapping[str, Word] = {
    "spring": Word(en="spring", ja="春", prompt="spring, fresh leaves, cherry blossom"),
    "summer": Word(en="summer", ja="夏", prompt="summer, deep green leaves, cumulus clouds"),
    "autumn": Word(en="autumn", ja="秋", prompt="autumn, red and golden leaves"),
    "winter": Word(en="winter", ja="冬", prompt="winter, snow on roofs and ground"),
}
TIMES: Mapping[str, Word] = {
    "morning": Word(en="morning", ja="朝", prompt="early morning, soft low light"),
    "day": Word(en="day", ja="昼", prompt="midday, clear light"),
    "sunset": Word(en="sunset", ja="夕方", prompt="sunset, warm orange light, long shadows"),
    "night": Word(en="night", ja="夜", prompt="night, moonlight, lit windows"),
}
