"""How layouts become backgrounds: recipes, routes that choose them, looks that narrow them."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from haikei.names import fits
from haikei.settings.section import LocatedPath, Section, Slug, filled
from haikei.show import Season, TimeOfDay

Option = str | int | float | bool


class Stage(Section):
    """One pass of a generator."""

    name: Slug
    """What this stage is called in files and records, such as `gen1`."""
    generator: Slug
    """The generator: a name in the entry points `haikei.generators`."""
    model: Slug | None = None
    """The model, for generators that need one: a name in `[models]`."""
    enlarge: Annotated[int, Field(ge=1, le=8)] = 1
    """How many times wider and higher its picture is than that of the stage before."""
    board: bool = False
    """Whether it is given the approved picture of the location, where a look names one."""
    control: tuple[Literal["line", "regions", "depth"], ...] = ()
    """
    What guides the model beside the picture: the clean line art, what is where, how near it is.
    One for each ControlNet, in their order. Empty: the line art for each.
    """
    options: dict[str, Option] = Field(default_factory=dict)
    """The generator's own options; it checks them."""


#: What prompts may be filled with.
PROMPT_TOKENS = (
    "place", "season", "time", "weather", "location", "notes", "colours", "project", "sequence",
    "shot",
)  # fmt: skip


def _template(text: str) -> str:
    unknown = sorted(set(re.findall(r"\{(\w*)\}", text)) - set(PROMPT_TOKENS))
    if unknown:
        known = " ".join(f"{{{token}}}" for token in PROMPT_TOKENS)
        message = f"nothing fills {{{unknown[0]}}}; known are {known}"
        raise ValueError(message)
    return text


def _of_stages(options: dict[str, Option]) -> dict[str, Option]:
    for key in options:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*\.[a-z_]+", key):
            message = f'{key!r} is no option of a stage: write "stage.option" = value'
            raise ValueError(message)
    return options


def _all_fit(pairs: tuple[tuple[str, str], ...]) -> bool:
    """Tell whether each pattern takes its name."""
    # A show that counts shots only has no sequence, which every pattern fits that names none.
    return all(pattern == "*" or fits(pattern, (name,)) for pattern, name in pairs)


Prompt = Annotated[str, AfterValidator(_template)]
StageOptions = Annotated[dict[str, Option], AfterValidator(_of_stages)]


class Recipe(Section):
    """How a layout becomes a background: the stages, in order."""

    extends: Slug | None = None
    """
    A recipe, shipped or of the studio's own, from which all that is not given here is taken.
    """
    stages: tuple[Stage, ...] = ()
    """Each stage receives the layout and the picture of the stage before."""
    model: Slug | None = None
    """The model of stages of `diffusers` that name none, or whose recipe is extended here."""
    options: StageOptions = Field(default_factory=dict)
    """Options of its stages, in place of theirs: `"gen2.strength" = 0.4`."""
    prompt: Prompt = ""
    """
    Words for generators that read words. `{place} {season} {time} {weather} {location} {notes}
    {colours} {project} {sequence} {shot}` are filled in, in words that models know; a phrase of
    which nothing is known is left out. Empty: Haikei's own.
    """
    negative_prompt: Prompt = ""
    """Words for what must not be seen; filled in likewise."""
    stand_in: bool = False
    """Its pictures only stand in for others to come: their Versions say so."""
    width: Annotated[int, Field(ge=0, le=16384)] = 0
    """Width in pixels at which pictures are made; 0 keeps the layout's."""
    books: bool = False
    """
    BOOK layers of a Photoshop layout are painted each on its own, with what is behind them, and
    delivered as one layered PSD beside the flat picture.
    """
    device_label: Slug | Literal[""] = ""
    """Only devices with this label, on any host, make it; empty: all of them."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if not self.stages and self.extends is None:
            message = "at least one stage is needed, or a recipe that it extends"
            raise ValueError(message)
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            message = "two stages have the same name"
            raise ValueError(message)
        if "layout" in names:
            message = "a stage cannot be called layout: the layout's marked copy is"
            raise ValueError(message)
        if "books" in names:
            message = "a stage cannot be called books: the layered file is"
            raise ValueError(message)
        return self


class Variant(Section):
    """A season and a time of day that the script asks for."""

    season: Season = Season.SUMMER
    """The season."""
    time: TimeOfDay = TimeOfDay.DAY
    """The time of day."""


class Route(Section):
    """Which layouts get which recipe. The first route that fits a layout is taken."""

    project: str = "*"
    """Project names in paths, as a shell pattern; letter case and Unicode form do not count."""
    sequence: str = "*"
    """Sequence names, as a shell pattern."""
    shot: str = "*"
    """Shot names, as a shell pattern."""
    recipe: Slug = "watercolour"
    """A name in `[recipes]`."""
    variants: Annotated[tuple[Variant, ...], AfterValidator(filled)] = (Variant(),)
    """
    One background is made for each. Where neither this nor `seasons` or `times` is given, the
    tracker says which (`tracker.cut_fields`), else it is a summer's day.
    """
    seasons: tuple[Season, ...] = ()
    """In place of `variants`: each of these seasons at each of `times`; by default summer."""
    times: tuple[TimeOfDay, ...] = ()
    """In place of `variants`: each of these times of day in each of `seasons`; by default day."""
    shared_seed: bool | Literal["location"] = False
    """
    One seed for all seasons and times of a layout, so that its places look more alike. With
    `"location"` one for all layouts of a location of the story, where the tracker says one.
    """
    place: str = ""
    """What kind of place it is (port, station, village, hills …), as a hint."""
    priority: Annotated[int, Field(ge=1, le=1000)] = 100
    """Smaller numbers go first."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    """A fixed seed; without one it is derived from the layout's content."""

    @model_validator(mode="before")
    @classmethod
    def _fanned_out(cls, data: object) -> object:
        if not isinstance(data, dict) or not (data.get("seasons") or data.get("times")):
            return data
        seasons = data.get("seasons") or (Season.SUMMER,)
        times = data.get("times") or (TimeOfDay.DAY,)
        made = [{"season": season, "time": time} for season in seasons for time in times]
        if "variants" in data and [dict(one) for one in data["variants"]] != made:
            message = "give variants, or seasons and times, not both"
            raise ValueError(message)
        if any(made.count(one) > 1 for one in made):
            message = "a season or a time of day stands twice"
            raise ValueError(message)
        return {**data, "variants": made}

    @property
    def leaves_season(self) -> bool:
        """Whether the season is the tracker's to say."""
        return not self.seasons and (bool(self.times) or "variants" not in self.model_fields_set)

    @property
    def leaves_time(self) -> bool:
        """Whether the time of day is the tracker's to say."""
        return not self.times and (bool(self.seasons) or "variants" not in self.model_fields_set)

    def fits(self, project: str, sequence: str, shot: str) -> bool:
        """Tell whether this route takes a layout of that place, in whatever spelling."""
        pairs = ((self.project, project), (self.sequence, sequence), (self.shot, shot))
        return _all_fit(pairs)


class Look(Section):
    """
    What a show, a sequence, a cut or a location asks of recipes. All that fit hold, those of a show
    first and those of a cut last: their words add up, and of the rest the last one counts.
    """

    project: str = "*"
    """Project names in paths, as in routes."""
    sequence: str = "*"
    """Sequence names, as a shell pattern."""
    shot: str = "*"
    """Shot names, as a shell pattern."""
    location: str = "*"
    """Locations of the story, as the tracker names them, as a shell pattern."""
    seasons: tuple[Season, ...] = ()
    """Only in these seasons; empty: in each."""
    times: tuple[TimeOfDay, ...] = ()
    """Only at these times of day; empty: at each."""
    recipe: Slug | Literal[""] = ""
    """Only of this recipe; empty: of each."""
    prompt: Prompt = ""
    """Words that are added to the prompt."""
    negative_prompt: Prompt = ""
    """Words that are added to the negative prompt."""
    colours: str = ""
    """The colour script in words: what `{colours}` is filled with where the tracker says none."""
    weather: str = ""
    """The weather, where the tracker says none."""
    board: LocatedPath | None = None
    """The approved picture of the location (美術ボード), for stages that ask for it."""
    options: StageOptions = Field(default_factory=dict)
    """Options of the stages of `recipe`: `"gen2.strength" = 0.4`."""

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        if self.options and not self.recipe:
            message = "options are of stages: name the recipe as well"
            raise ValueError(message)
        return self

    @property
    def narrowness(self) -> int:
        """How little it fits: of those that fit, the narrower one counts."""
        patterns = (self.project, self.location, self.sequence, self.shot)
        return max((place for place, one in enumerate(patterns, 1) if one != "*"), default=0)

    def fits(self, project: str, sequence: str, shot: str, location: str) -> bool:
        """Tell whether it holds for a cut, in whatever spelling."""
        pairs = (
            (self.project, project), (self.sequence, sequence), (self.shot, shot),
            (self.location, location),
        )  # fmt: skip
        return _all_fit(pairs)
