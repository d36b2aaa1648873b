"""The seam between a job and whatever makes its pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from haikei.credits import System
from haikei.images import Picture
from haikei.presets import Act, Quality, RegionChange


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOrder:
    """What the recipe says about one stage."""

    generator: str
    model: str
    options: tuple[tuple[str, str | int | float | bool], ...]
    references: int = 0  #: how many pictures it is given beside the layout and the stage before


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSystem:
    """What would make the pixels, and with which libraries."""

    system: System
    libraries: tuple[tuple[str, str], ...]
    words: tuple[str, ...] = ()  #: that the prompt must hold for what runs, such as a LoRA's
    negates: bool = True  #: whether a negative prompt reaches it; else requests name none
    notes: tuple[str, ...] = ()  #: what it cannot take, to be reported before it is made
    turns: tuple[Quality, ...] = ()  #: qualities of `adjustments` that it turns itself
    acts: tuple[Act, ...] = ()  #: which of the request's `changes` it can make
    refers: bool = False  #: whether its `generate` takes `references`, as `ReferringGenerator`'s
    #: Whether it reads the prompt; None: it does where the stage names a model.
    reads: bool | None = None
    #: Whether its `generate` may be called for several pictures at once, since it takes turns on
    #: the device by itself; others are called for no more than the device's `concurrency`.
    shares: bool = False
    counts: bool = False  #: whether it tells what of a prompt is lost, as `CountingGenerator`


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
    location: str = ""  #: show and sequence: pictures that share it share a palette
    season: str
    time: str
    weather: str = ""  #: as people say it; a generator that reads words finds it in the prompt
    recipe: str = ""  #: the recipe's name
    recipe_sha256: str = ""  #: of the recipe with all that its show and cut ask of it
    seed: int
    width: int  #: pixels of the picture to make
    height: int
    colour_space: str  #: of pictures in and out: `srgb`, display-referred, 0 to 1
    libraries: tuple[tuple[str, str], ...]  #: versions of what takes part, sorted by name
    books: int = 0  #: BOOK layers of the layout that were painted on their own
    #: Up to which of them the layout is drawn here: 0 shows what is behind all BOOKs.
    book: int = 0
    #: SHA-256 of the pixels of pictures that it looks at, such as the board of the location.
    references: tuple[str, ...] = ()
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
    unread: float | None = None  #: part of the layout that it could not read; None: not known
    #: Of each of the request's changes, the part of the picture on which it acted, in millionths;
    #: 0 where what it names is not in the picture.
    changed_ppm: tuple[int, ...] = ()
    #: That it took, without waiting for others; None: all of the call.
    seconds: float | None = None


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


class ReferringGenerator(Protocol):
    """A generator that looks at other pictures too, as its `describe` states by `refers`."""

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
        references: Sequence[Picture],
    ) -> GenerationResult:
        """Make the picture of one stage; references come in their own sizes."""
        ...


class CountingGenerator(Protocol):
    """A generator that knows what of a prompt it reads, as its `describe` states by `counts`."""

    def words_lost(
        self, stage: StageOrder, *, prompt: str, negative_prompt: str
    ) -> tuple[str, ...]:
        """
        Return what a person should know of these words before a picture is made of them.

        No weights are loaded.

        Raises:
            ModelUnusable: what reads them is damaged.
        """
        ...
