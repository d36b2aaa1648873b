"""Text in English and Japanese, and which of them a report speaks."""

from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """The language of a report."""

    EN = "en"
    JA = "ja"
    BOTH = "both"  #: English, and Japanese beside it


@dataclass(frozen=True, slots=True)
class Words:
    """One phrase in both languages."""

    en: str
    ja: str

    def filled(self, **values: object) -> "Words":
        """Return the phrase with `{name}` places filled in; a value of `Words` in its language."""
        english = {
            key: value.en if isinstance(value, Words) else value for key, value in values.items()
        }
        japanese = {
            key: value.ja if isinstance(value, Words) else value for key, value in values.items()
        }
        return Words(self.en.format(**english), self.ja.format(**japanese))


#: A plain string is the same in every language, such as a hash or a file's name.
Text = str | Words


def said(text: Text, language: Language) -> str:
    """
    Return the text in the language; for both, English and Japanese with a slash between.

    Where one is missing the other stands in for it.
    """
    if isinstance(text, str):
        return text
    if language is Language.BOTH and text.en and text.ja and text.en != text.ja:
        return f"{text.en} / {text.ja}"
    if language is Language.JA:
        return text.ja or text.en
    return text.en or text.ja
