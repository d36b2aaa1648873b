"""What a studio states about the weights that make its pictures: where they stand, their terms."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, model_validator

from haikei.settings.section import LocatedPath, RootUrl, Seconds, Section, Slug, filled


def _several(value: object) -> object:
    """Return one value where several may stand as a list of one, and none as an empty list."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str | Path) else value


DataClass = Literal["own", "licensed", "public_domain", "opt_in", "undisclosed"]


class Terms(Section):
    """What every set of weights must state: without a licence and its data it is not used."""

    licence: Annotated[str, Field(min_length=1)]
    """The weights' licence, as an SPDX id or a name."""
    licence_url: HttpUrl
    """Where the licence can be read."""
    commercial: Literal["yes", "no", "conditional"]
    """Whether the licence allows commercial use."""
    data: Annotated[str, Field(min_length=1)]
    """What it was trained on, in a sentence."""
    data_class: DataClass = "undisclosed"
    """
    Of what kind that is: the studio's own work, licensed, in the public domain, given by those who
    made it, or not disclosed.
    """
    attribution: str = ""
    """Text that the licence asks to be shown."""


class Lora(Terms):
    """A LoRA that a model can be run with, in the format of kohya or of diffusers."""

    file: LocatedPath
    """Its safetensors file."""
    trigger: str = ""
    """Words that it was trained with: they are added to the prompt."""


class Embedding(Terms):
    """A textual inversion: a word that was trained for the model's text encoder."""

    file: LocatedPath
    """Its safetensors file."""
    word: Annotated[str, Field(pattern=r"^[^\s,]+$")]
    """The word that stands for it in prompts, such as `<our-sky>`."""


class IpAdapter(Terms):
    """An IP-Adapter: by it, a Stable Diffusion or SDXL model looks at a picture."""

    file: LocatedPath
    """Its safetensors file."""
    encoder: LocatedPath
    """A folder with the image encoder (CLIPVisionModelWithProjection) that it was trained with."""


class ComfyUi(Section):
    """A workflow of ComfyUI, and the servers that run it."""

    servers: Annotated[tuple[RootUrl, ...], AfterValidator(filled)]
    """Their addresses. Each picture goes to the one with the shortest queue that answers."""
    workflow: LocatedPath
    """The workflow, as ComfyUI exports it in API format."""
    inputs: dict[str, str] = Field(default_factory=dict)
    """
    What is put into it: `layout`, `previous`, `prompt`, `negative_prompt`, `seed`, `width`,
    `height` or an option of a stage, and the input that gets it, as `title.input` or `id.input`.
    """
    output: str
    """The node, by title or id, whose first picture is the result."""
    poll: Seconds = 0.5
    """Seconds between looks at a server."""


class GeneratorEntry(Terms):
    """
    A generator that names no model in its stages: what its pictures come from.

    With `argv` it is a program of the studio's, with `comfyui` a workflow of ComfyUI; else an entry
    point in `haikei.generators`.
    """

    comfyui: ComfyUi | None = None

    provider: str = ""
    """Who made it, as reports name them."""
    runs: Literal["on_prem", "cloud"] = "on_prem"
    """Where it runs."""
    argv: tuple[str, ...] = ()
    """
    The program and its arguments, run without a shell; `{layout} {previous} {out} {seed} {width}
    {height} {device}` are filled in.
    """
    name: str = ""
    """The program's or workflow's name, as records print it."""
    version: str = ""
    """The program's or workflow's version, as records print it."""
    trained: bool = True
    """Whether it runs a trained model; false for an algorithm."""
    takes: tuple[Slug, ...] = ()
    """Options that a stage may give it."""
    reads_words: bool = False
    """Whether it reads prompts; else none is in the record."""
    timeout: Seconds = 900.0
    """Seconds after which it is ended."""
    memory_mib: Annotated[int, Field(ge=0)] = 0
    """The most memory that the program may take, in MiB; 0: no limit."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if self.argv and self.comfyui is not None:
            message = "it is a program (argv) or a workflow (comfyui), not both"
            raise ValueError(message)
        return self


class Model(Terms):
    """One model that may be used: without a licence and a data statement it is not."""

    folder: LocatedPath
    """
    A folder in diffusers format, of whose weights safetensors alone are read; or a checkpoint of
    one safetensors file.
    """
    config: LocatedPath | None = None
    """
    For a checkpoint of one file: a folder in diffusers format of the same kind. It gives settings
    and vocabularies, and the weights of parts that the file does not hold.
    """
    variant: str = ""
    """Which form of the weights is read, such as `fp16`; empty: the plain one, or the only one."""
    pipeline: str = ""
    """
    A pipeline class of diffusers that takes an image, a prompt, height and width, for a model
    whose class Haikei does not know.
    """
    controlnet: Annotated[tuple[LocatedPath, ...], BeforeValidator(_several)] = ()
    """A ControlNet folder that follows the layout's lines, or several."""
    memory: Literal["auto", "whole", "tiled", "offloaded"] = "auto"
    """
    How it is fitted into a GPU's memory: as a `whole`; with pictures decoded in tiles and slices
    (`tiled`); with that, and each part there only while it computes (`offloaded`). `auto` begins
    with the whole and takes the next where memory runs out, which the record says.
    """
    vae: LocatedPath | None = None
    """A VAE that stands in for the model's own: a folder in diffusers format."""
    loras: dict[Slug, Lora] = Field(default_factory=dict)
    """LoRAs that a stage can name in its option `loras`, each with a weight."""
    ip_adapter: IpAdapter | None = None
    """An IP-Adapter, for stages that are given the board of the location."""
    embeddings: dict[Slug, Embedding] = Field(default_factory=dict)
    """Textual inversions; their words can stand in prompts."""
    name: str
    """The model's name as records print it."""
    version: str
    """The model's version as records print it."""
    provider: str = ""
    """Who made the model, as reports name them."""
    runs: Literal["on_prem", "cloud"] = "on_prem"
    """Where it runs."""
    trains_on_inputs: bool = False
    """Whether what it is given is stored or trained on by anybody."""
    contract: str = ""
    """Where the contract or the terms that say so are kept."""
    data_url: str = ""
    """Where its maker discloses the training data."""
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(
        default_factory=dict
    )
    """Expected SHA-256 of weight files, by path in the folder; a difference stops the job."""
