"""What a studio states about the weights that make its pictures: where they stand, their terms."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, model_validator

from haikei.settings.section import (
    LocatedPath,
    RootUrl,
    Seconds,
    Section,
    Slug,
    filled,
    is_loopback,
)


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


class Provided(Terms):
    """What is stated of something that makes pictures, beside its licence and its data."""

    provider: str = ""
    """Who made it, as reports name them; of a service, who runs it."""
    runs: Literal["on_prem", "cloud"] = "on_prem"
    """Where it runs."""
    trains_on_inputs: bool = False
    """Whether what it is given is stored or trained on by anybody."""
    contract: str = ""
    """Where the contract or the terms that say so are kept."""
    data_url: str = ""
    """Where its maker discloses the training data."""


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


#: What an images API is given by Haikei itself.
RESERVED_FIELDS = ("image", "image[]", "mask", "model", "n", "prompt", "size")


class ImagesApi(Section):
    """A service that edits pictures as OpenAI's `images/edits` does."""

    url: HttpUrl
    """Where its API begins, such as `https://api.openai.com/v1`; its certificate is checked."""
    model: Annotated[str, Field(min_length=1)]
    """Which of its models is asked."""
    sends: Annotated[tuple[Literal["layout", "previous", "prompt"], ...], AfterValidator(filled)]
    """
    What it is given: the `prompt`, and the `layout`, the stage before (`previous`) or both. Nothing
    else leaves the studio.
    """
    key_variable: Annotated[str, Field(pattern=r"^([A-Z][A-Z0-9_]*)?$")] = ""
    """The environment variable of the workers that holds its key; empty: none is sent."""
    sizes: tuple[Annotated[str, Field(pattern=r"^[1-9]\d{1,4}x[1-9]\d{1,4}$")], ...] = ()
    """Sizes that it makes, such as `1536x1024`; empty: any."""
    fields: dict[str, str] = Field(default_factory=dict)
    """What else each request says, such as `response_format = "b64_json"`."""
    resend: bool = False
    """
    Whether a request whose answer was lost is sent again, which a service may charge twice; else
    people decide.
    """
    max_answer_mib: Annotated[int, Field(ge=1, le=1024)] = 64
    """The largest answer that is read, in MiB."""
    loopback: bool = False
    """Whether it is a program on this machine, which http may reach as well."""
    private: bool = False
    """Whether its name may lead to a private address, such as another machine of the studio."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.url.username or self.url.password or self.url.query or self.url.fragment:
            message = "the url must hold no login, query or fragment: keys come by key_variable"
            raise ValueError(message)
        if self.loopback != is_loopback(self.url.host or ""):
            message = "loopback must be true for a program on this machine, and for no other"
            raise ValueError(message)
        if self.url.scheme != "https" and not self.loopback:
            message = "the url must be https; http is for a program on this machine alone"
            raise ValueError(message)
        if "prompt" not in self.sends or len(set(self.sends)) < 2:
            message = "a service is sent a prompt and at least one picture: layout, previous"
            raise ValueError(message)
        return self


class GeneratorEntry(Provided):
    """
    A generator that names no model in its stages: what its pictures come from.

    With `argv` it is a program of the studio's, with `comfyui` a workflow of ComfyUI, with
    `images_api` a service; else an entry point in `haikei.generators`.
    """

    comfyui: ComfyUi | None = None
    images_api: ImagesApi | None = None

    argv: tuple[str, ...] = ()
    """
    The program and its arguments, run without a shell; `{layout} {previous} {out} {seed} {width}
    {height} {device}` are filled in.
    """
    trained: bool = True
    """Whether it runs a trained model; false for an algorithm."""
    name: str = ""
    """Its name, as records print it."""
    version: str = ""
    """Its version, as records print it."""
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
        if bool(self.argv) + (self.comfyui is not None) + (self.images_api is not None) > 1:
            message = "it is a program (argv), a workflow (comfyui) or a service (images_api)"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _states_who_runs_it(self) -> Self:
        service = self.images_api
        if service is None:
            return self
        if self.runs != "cloud" and not (service.loopback or service.private):
            message = 'a service beyond the studio\'s own machines needs runs = "cloud"'
            raise ValueError(message)
        lacking = [name for name in ("name", "version", "provider") if not getattr(self, name)]
        if self.runs == "cloud" and not self.contract:
            lacking.append("contract")
        if lacking:
            message = f"of a service it must be stated: {', '.join(lacking)}"
            raise ValueError(message)
        taken = sorted({*self.takes, *service.fields} & set(RESERVED_FIELDS))
        if taken:
            message = f"Haikei itself gives a service its {', '.join(taken)}"
            raise ValueError(message)
        return self


class Model(Provided):
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
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(
        default_factory=dict
    )
    """Expected SHA-256 of weight files, by path in the folder; a difference stops the job."""
