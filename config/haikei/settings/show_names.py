"""What folders are called where the tracker has other names: from paths to places, and back."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from haikei.errors import PathRefused
from haikei.names import plain_name, same_name
from haikei.settings.naming import PathTemplate, Template
from haikei.settings.section import Mistake, Section
from haikei.show import Place

#: What a place is made of, the largest first.
_KINDS: tuple[str, ...] = ("episode", "sequence", "shot")


def _one_to_one(table: dict[str, str]) -> dict[str, str]:
    for what, names in (("folders", table), ("names in the tracker", table.values())):
        plain = [plain_name(name) for name in names]
        if "" in plain:
            message = f"one of the {what} is empty"
            raise ValueError(message)
        twice = sorted({name for name in plain if plain.count(name) > 1})
        if twice:
            message = f"two of the {what} are {', '.join(twice)}: each folder is one name"
            raise ValueError(message)
    return table


def _code(text: str) -> str:
    template = PathTemplate(text)
    if template.has_wildcards or template.required != template.tokens or "/" in text:
        message = "a name in the tracker has no *, no [...] and no /"
        raise ValueError(message)
    if unknown := template.tokens - {"project", *_KINDS}:
        message = f"it may hold {{episode}}, {{sequence}} and {{shot}}, not {{{min(unknown)}}}"
        raise ValueError(message)
    return text


_Table = Annotated[dict[str, str], AfterValidator(_one_to_one)]
_Code = Annotated[Template, AfterValidator(_code)]


class ShowNames(Section):
    """
    A show whose folders have other names than the tracker. Tables come before codes; letter case
    and Unicode form do not count in either.
    """

    project: str
    """The tracker's name of the project: its folder name (`tank_name`), else what people see."""
    folder: str = ""
    """What its folder is called; empty: as the tracker's."""
    episodes: _Table = Field(default_factory=dict)
    """The tracker's episodes by what their folders are called, such as `"01" = "EP01"`."""
    sequences: _Table = Field(default_factory=dict)
    """The tracker's sequences by what they are called in paths, such as `EP01 = "EP01_A"`."""
    shots: _Table = Field(default_factory=dict)
    """The tracker's shots by what they are called in paths."""
    episode_code: _Code = "{episode}"
    """How the tracker calls an episode, in what the path says of it."""
    sequence_code: _Code = "{sequence}"
    """How the tracker calls a sequence, in what the path says, such as `{episode}_A`."""
    shot_code: _Code = "{shot}"
    """How the tracker calls a shot, in what the path says, such as `{episode}_{shot}`."""

    def called(self) -> str:
        """Return what the project's folder is called."""
        return self.folder or self.project

    def table(self, kind: str) -> Mapping[str, str]:
        """Return the table of an episode, sequence or shot."""
        return dict(zip(_KINDS, (self.episodes, self.sequences, self.shots), strict=True))[kind]

    def code(self, kind: str) -> str:
        """Return the code of an episode, sequence or shot, as a template."""
        codes = (self.episode_code, self.sequence_code, self.shot_code)
        return dict(zip(_KINDS, codes, strict=True))[kind]


class FolderNames:
    """
    Turns what paths say into places, which have the tracker's names, and back.

    Args:
        shows: those whose folders have other names.
    """

    def __init__(self, shows: Iterable[ShowNames] = ()) -> None:
        self._shows = tuple(shows)

    def place(self, tokens: Mapping[str, str]) -> Place | None:
        """Return the place that a path's tokens mean; None without a project and shot."""
        project, shot = tokens.get("project", ""), tokens.get("shot", "")
        if not project or not shot:
            return None
        show = next((one for one in self._shows if same_name(one.called(), project)), None)
        if show is None:
            names = {kind: tokens.get(kind, "") for kind in _KINDS}
        else:
            project = show.project
            names = {kind: _tracker_name(show, kind, tokens) for kind in _KINDS}
        return Place(
            project=project,
            episode=names["episode"],
            sequence=names["sequence"],
            shot=names["shot"],
        )

    def tokens(self, place: Place) -> Mapping[str, str]:
        """Return what paths say of a place; what is not known of it is left out."""
        names = {"episode": place.episode, "sequence": place.sequence, "shot": place.shot}
        show = next((one for one in self._shows if same_name(one.project, place.project)), None)
        if show is None:
            tokens = {"project": place.project, **names}
        else:
            tokens = {"project": show.folder or place.project}
            for kind in _KINDS:
                if names[kind]:
                    for token, value in _path_names(show, kind, names[kind], tokens).items():
                        tokens.setdefault(token, value)
        return {token: value for token, value in tokens.items() if value}


def _tracker_name(show: ShowNames, kind: str, tokens: Mapping[str, str]) -> str:
    name = tokens.get(kind, "")
    if name:
        wanted = plain_name(name)
        for folder, code in show.table(kind).items():
            if plain_name(folder) == wanted:
                return code
    known = {token: value for token, value in tokens.items() if value}
    try:
        return str(PathTemplate(show.code(kind)).format(known))
    except PathRefused:
        return name  # the path does not say all that the code is made of: the tracker completes it


def _path_names(
    show: ShowNames, kind: str, code: str, known: Mapping[str, str]
) -> Mapping[str, str]:
    """Return what a code of the tracker says, less what is known of it."""
    wanted = plain_name(code)
    for folder, name in show.table(kind).items():
        if plain_name(name) == wanted:
            return {kind: folder}
    text = show.code(kind)
    filled = text
    for token, value in known.items():
        literal = value.replace("{", "{{").replace("}", "}}").replace("[", "[[").replace("]", "]]")
        filled = filled.replace(f"{{{token}}}", literal)
    for template in (filled, text):
        found = PathTemplate(template).match(code)
        if found is not None:
            return {kind: code, **found}
    return {kind: code}


def show_mistakes(shows: tuple[ShowNames, ...], given: frozenset[str] | None) -> Iterator[Mistake]:
    """
    Yield shows that are named twice, and codes that no path can fill.

    Args:
        shows: the settings'.
        given: the tokens that templates read from paths; None where a rule of the studio's own
            reads them, and nobody knows.
    """
    for index, show in enumerate(shows):
        for earlier, other in enumerate(shows[:index]):
            if same_name(show.project, other.project) or same_name(show.called(), other.called()):
                yield Mistake(
                    key=f"shows[{index}]",
                    found=repr(show.project),
                    allowed=f"shows[{earlier}] has the same project or folder: put both into one",
                )
        if "shot" not in PathTemplate(show.shot_code).tokens:
            yield Mistake(
                key=f"shows[{index}].shot_code",
                found=repr(show.shot_code),
                allowed="it must hold {shot}: else all shots have one name",
            )
        for kind in _KINDS:
            code = show.code(kind)
            missing = PathTemplate(code).tokens - {kind} - (given or PathTemplate(code).tokens)
            if missing:
                yield Mistake(
                    key=f"shows[{index}].{kind}_code",
                    found=repr(code),
                    allowed=f"no template of a watched folder, nor storage.layout, gives "
                    f"{{{min(missing)}}}: put it into one",
                )
