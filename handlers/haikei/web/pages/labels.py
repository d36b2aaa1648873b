"""What stands on the cards of one page: what many of them share is written once."""

from functools import cache
from urllib.parse import quote

from markupsafe import Markup, escape

from haikei.web.pages import words
from haikei.web.pages.gallery import Place
from haikei.web.pages.rendering import Voice, to_cut


class CardLabels:
    """
    Says what is on cards, ready for HTML.

    Args:
        project: whose cards they are.
        say: says phrases in the language of the page.
    """

    def __init__(self, project: str, say: Voice) -> None:
        # A show has a handful of each of these, and thousands of cards.
        @cache
        def around(sequence: str, season: str, time: str) -> tuple[str, str]:
            path, mark, query = to_cut(project, sequence, "", season=season, time=time).partition(
                "?"
            )
            return str(escape(path)), str(escape(mark + query))

        @cache
        def version(number: int) -> Markup:
            return Markup("<i>v{:03d}</i>").format(number) if number else Markup("")

        @cache
        def standing(season: str, time: str, state: str) -> Markup:
            told = words.STATES.get(state, state)
            return Markup('<span>{}</span><span class="badge {}">{}</span>').format(
                say(words.variant(season, time)), state, say(told)
            )

        self.version = version
        self.standing = standing
        self._around = around

    def address(self, place: Place) -> Markup:
        """Return the page of a cut, as `to_cut` does."""
        before, after = self._around(place.sequence, place.season, place.time)
        return Markup(f"{before}{quote(place.shot, safe='')}{after}")  # noqa: S704 - quoted

    def place(self, place: Place) -> Markup:
        """Return the name by which scripts find a card."""
        return escape(f"{place.sequence}/{place.shot}/{place.season}/{place.time}")
