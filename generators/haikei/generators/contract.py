"""
The seam between a job and whatever makes its pixels, and how a generator is found by
name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol, cast

from haikei.credits import System
from haikei.errors import SettingsError
from haikei.images import Picture
from haikei.presets import Act, Quality, RegionChange
from haikei.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOrder:
    """What the recipe says about one stage."""

    generator: str
    model: str
    options: tuple[tuple[str, str | int | float | bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSystem:
    """What would make the pixels, and with which libraries."""

    system: System
    libraries: tuple[tuple[str, str], ...]
    negates: bool = True  #: whether a negative prompt reaches it; else requests name none
    notes: tuple[str, ...] = ()  #: what it cannot take, to be said before it is made
    turns: tuple[Quality, ...] = ()  #: qualities of `adjustments` that it turns itself
    acts: tuple[Act, ...] = ()  #: which of the request's `changes` it can make
    #: Whether it reads the prompt; None: it does where the stage names a model.
    reads: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One stage of one background."""

    layout_sha256: str  #: of the layout file's bytes
    previous_sha256: str  #: of the pixels of the stage before; empty for the first stage
    stage: str  #: the stage's name in the recipe, such as `gen1`
    generator: str  #: name of the generator
    system: System  #: the algorithm or model as it describes itself: version and weight hash
    model: str  #: the model's name in the settings; empty when none is used
    options: tuple[tuple[str, str | int | float | bool], ...]  #: sorted by name
    prompt: str
    negative_prompt: str
    place: str
    season: str
    time: str
    seed: int
    width: int  #: pixels of the picture to make
    height: int
    colour_space: str  #: of pictures in and out: `srgb`, display-referred, 0 to 1
    libraries: tuple[tuple[str, str], ...]  #: versions of what takes part, sorted by name
    #: What a retake turned, by `Quality`, -100 to 100, sorted by name. A generator that reads
    #: words finds it in the prompt as well.
    adjustments: tuple[tuple[str, int], ...] = ()
    #: What a retake changes in parts of the picture, in this order. Only the last stage whose
    #: generator states `acts` is given any, so that each is made once.
    changes: tuple[RegionChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a generator is with one picture."""

    step: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationResult:
    """What a generator made."""

    picture: Picture  #: (height, width, 3), float32, sRGB, as asked for in the request
    notes: tuple[str, ...] = ()  #: what a person should know, such as a shortened prompt
    #: Of each of the request's changes, the part of the picture on which it acted, in millionths;
    #: 0 where what it names is not in the picture.
    changed_ppm: tuple[int, ...] = ()


#: Called now and then while a picture is made; it raises GenerationCancelled to stop.
ProgressCallback = Callable[[Progress], None]


class Generator(Protocol):
    """
    Makes pictures. One object serves many requests and keeps what is costly to load.

    An entry point in `haikei.generators` names a callable that takes the studio's `Settings` and
    returns such an object without loading anything heavy.
    """

    def describe(self, stage: StageOrder) -> StageSystem:
        """
        Return what would make the pixels of this stage, without loading weights.

        Raises:
            ModelUnusable: the model is undeclared, incomplete or unsafe.
            SettingsError: an option is unknown or out of range.
        """
        ...

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        """
        Make the picture of one stage; both pictures come at the request's size.

        Raises:
            GenerationError: it cannot be made.
            GenerationCancelled: `progress` asked to stop.
        """
        ...


GROUP = "haikei.generators"


def load_generator(name: str, settings: Settings) -> Generator:
    """
    Return the generator that the entry point `name` makes for this studio.

    Raises:
        SettingsError: there is no such generator, or it needs a package that is not installed.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError(
            f"There is no generator {name!r}.", advice=f"Installed generators: {known}."
        )
    try:
        make = found[name].load()
    except ImportError as error:
        raise SettingsError(
            f"The generator {name!r} needs a package that is not installed: {error}.",
            advice=f"Install it with `pip install 'haikei[{name}]'`.",
        ) from error
    return cast("Generator", make(settings))
