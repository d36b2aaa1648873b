"""
A model folder in diffusers format: what is in it, whether it is safe to load, and the
hashes of its files.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from haikei.errors import ModelUnusable
from haikei.files import sha256_of, write_whole

WEIGHTS = ".safetensors"
#: Endings of files that can run code when they are loaded: they are left alone beside safetensors.
_PICKLED = frozenset({
    ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz",
})  # fmt: skip
_CODE = frozenset({".py", ".pyc", ".pyd", ".so", ".dll", ".dylib"})
#: Endings of the names of classes that have settings and no weights.
_WEIGHTLESS = ("Tokenizer", "TokenizerFast", "Processor", "Extractor", "Scheduler")
#: Parts of a pipeline that are not loaded.
_LEFT_OUT = frozenset({"safety_checker"})
#: Classes that transformers has dropped, of parts that only a safety checker used: an IP-Adapter
#: brings its own. Folders of before 2023 name them.
DROPPED = frozenset({"CLIPFeatureExtractor"})
#: Endings of files that decide what a model makes, beside its weights.
_CONFIGURATION = frozenset({".json", ".txt", ".model", ".jinja"})
_VOCABULARIES = frozenset({"tokenizer.json", "vocab.json", "vocab.txt"})
#: Libraries of which parts are; beside them, diffusers' pipelines bring parts of their own.
_LIBRARIES = frozenset({"diffusers", "transformers"})
_FAST = re.compile(r"(?<=Tokenizer|Processor)Fast$")
_SHARD = re.compile(r"-\d{5}-of-\d{5}")
_MAX_HEADER = 100_000_000  # bytes; the limit of the safetensors library itself


def pipeline_files(
    folder: Path, variant: str = "", *, held: frozenset[str] = frozenset()
) -> Mapping[str, Path]:
    """
    Return weights, configuration and vocabulary files of a pipeline folder by relative path.

    Of each part's weights one form is returned: `variant` where it is there, else the plain one,
    else the only one. What stands beside the parts that model_index.json names is not looked at,
    nor are the weights of parts in `held`, which are read from elsewhere.

    Raises:
        ModelUnusable: it is no complete diffusers folder, its weights are pickles, it holds code,
            or no part has this variant.
    """
    index = folder / "model_index.json"
    try:
        described = json.loads(index.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelUnusable(
            f"{folder} is no model folder in diffusers format: it has no model_index.json.",
            advice="Name the folder that `save_pretrained` wrote, or download the whole model.",
        ) from error
    except (OSError, ValueError) as error:
        raise ModelUnusable(f"{index} cannot be read: {error}.") from error
    if not isinstance(described, dict) or not isinstance(described.get("_class_name"), str):
        raise ModelUnusable(f"{index} names no pipeline class.")
    for path in sorted(folder.iterdir()):
        _refuse_code(path)
    found = {index.name: index}
    for name, value in described.items():
        if name in _LEFT_OUT or not (isinstance(value, list) and any(map(bool, value))):
            continue
        _refuse_library(folder, name, str(value[0]))
        _refuse_class(folder, name, str(value[0]), str(value[-1]))
        if name in held:
            found |= _configuration(folder, name)
            continue
        parts = controls_within(folder) if name == "controlnet" else (folder / name,)
        for part in parts:
            _refuse_link(part)
        files = {
            f"{part.name}/{file}": path
            for part in parts
            for file, path in _files(part, variant).items()
        }
        if not files:
            raise ModelUnusable(
                f"{folder} is incomplete: model_index.json names {name!r}, which is not there.",
                advice="Download the model again.",
            )
        _require_settings(folder, name, str(value[-1]), files)
        # Vocabularies and processors have settings but no weights.
        weighty = f"{name}/config.json" in files and not str(value[-1]).endswith(_WEIGHTLESS)
        found |= _whole(folder / name, files, "") if weighty else files
    return found if held else _whole(folder, found, variant)


def library_pipelines() -> Path:
    """Return where the installed diffusers has its pipelines; it is not imported."""
    place = _library("diffusers")
    return Path() if place is None else place / "pipelines"


def _library(name: str) -> Path | None:
    found = find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


@cache
def library_has(library: str, kind: str) -> bool:
    """
    Tell whether an installed library has a class; True where the library is not installed at all.

    It is looked for in the library's source: importing it takes seconds, and a plan is made in
    processes that never do.

    Args:
        library: `diffusers`, `transformers`, or a package of diffusers' pipelines.
        kind: the name of the class.
    """
    base = _library(library if library in _LIBRARIES else "diffusers")
    if base is None:
        return True
    if library not in _LIBRARIES:
        base /= f"pipelines/{library}"
    if library == "transformers":
        # It stopped having these beside the plain ones, and gives those under both names.
        kind = _FAST.sub("", kind)
    named = re.compile(rf"""\bclass {re.escape(kind)}\b|["']{re.escape(kind)}["']""")
    begin = re.sub(r"[^a-z0-9]", "", kind.lower())
    # What a class is called begins with what its folder is called: that one is read first.
    likely = [base / "__init__.py"]
    if library == "transformers":
        folders = sorted((base / "models").iterdir())
        near = (one for one in folders if begin.startswith(one.name.replace("_", "")))
        likely += [file for folder in near for file in sorted(folder.glob("*.py"))]
    return any(
        file.is_file() and named.search(file.read_text(encoding="utf-8", errors="replace"))
        for files in (likely, base.rglob("*.py"))
        for file in files
    )


def _refuse_class(folder: Path, name: str, library: str, kind: str) -> None:
    if kind in DROPPED or library_has(library, kind):
        return
    package = library if library in _LIBRARIES else "diffusers"
    raise ModelUnusable(
        f"The {name} of {folder} is a {kind}, which the installed {package} {version(package)} "
        "does not have.",
        advice=f"Install a version of {package} that has it.",
    )


def _refuse_library(folder: Path, name: str, library: str) -> None:
    known = library in _LIBRARIES or (
        library.isidentifier() and (library_pipelines() / library).is_dir()
    )
    if not known:
        raise ModelUnusable(
            f"The {name} of {folder} is of the package {library!r}, which diffusers does not load.",
            advice="Haikei runs no code of a model's own: use one of a class in diffusers.",
        )


def _require_settings(folder: Path, name: str, kind: str, files: Mapping[str, Path]) -> None:
    """Make sure that a part has what its class cannot make up; some would, and say nothing."""
    if kind.endswith("Scheduler"):
        missing = f"{name}/scheduler_config.json"
        there = missing in files
    elif kind.endswith(("Tokenizer", "TokenizerFast")):
        missing = f"{name}/tokenizer.json"
        there = kind.startswith("ByT5") or any(
            Path(file).name in _VOCABULARIES or file.endswith(".model") for file in files
        )
    else:
        missing = f"{name}/config.json"
        there = missing in files or not any(file.endswith(WEIGHTS) for file in files)
    if not there:
        raise ModelUnusable(
            f"{folder} is incomplete: its {name} ({kind}) has no {Path(missing).name}"
            f"{' nor another vocabulary' if missing.endswith('tokenizer.json') else ''}.",
            advice="Download the model's settings (*.json, *.txt, *.model) again.",
        )


def _configuration(folder: Path, name: str) -> dict[str, Path]:
    _refuse_link(folder / name)
    path = folder / name / "config.json"
    if not path.is_file():
        raise ModelUnusable(
            f"{folder} is incomplete: model_index.json names {name!r}, but there is no {path}.",
            advice="Download the model's settings (*.json, *.txt) again.",
        )
    return {f"{name}/{path.name}": path}


#: How names of tensors in a checkpoint of one file begin, and the part of a pipeline that they
#: are of; `denoiser` stands for the UNet or the transformer.
_PREFIXES: Mapping[str, str] = {
    "model.diffusion_model.": "denoiser",
    "first_stage_model.": "vae",
    "cond_stage_model.": "text_encoder",
    "conditioner.embedders.0.": "text_encoder",
    "conditioner.embedders.1.": "text_encoder_2",
    "text_encoders.clip_l.": "text_encoder",
    "text_encoders.clip_g.": "text_encoder_2",
    "text_encoders.t5xxl.": "text_encoder_3",
}
#: What training leaves in such a file and no pipeline reads.
_LEFTOVER = re.compile(
    r"(model_ema\.|alphas_cumprod|betas$|sqrt_|log_one_minus_|posterior_|lvlb_weights|logvar|"
    r"denoiser\.sigmas|global_step)"
)


def checkpoint_parts(file: Path, denoiser: str) -> Mapping[str, tuple[str, ...]]:
    """
    Return the names of tensors in a checkpoint of one file, by the part that they are of.

    Args:
        file: a safetensors file. One whose names have no known beginning holds a denoiser alone.
        denoiser: what the pipeline calls that part: `unet` or `transformer`.

    Raises:
        ModelUnusable: it is damaged, or holds tensors that no part takes.
    """
    names = tensor_names(file)
    found: dict[str, list[str]] = {}
    foreign: list[str] = []
    for name in names:
        part = next((part for start, part in _PREFIXES.items() if name.startswith(start)), "")
        if part:
            found.setdefault(part, []).append(name)
        elif not _LEFTOVER.match(name):
            foreign.append(name)
    if not found:
        found, foreign = {"denoiser": list(foreign)}, []
    if foreign:
        raise ModelUnusable(
            f"{file} holds {len(foreign)} tensors that belong to no part of a pipeline, such as "
            f"{min(foreign)}.",
            advice="It is not a checkpoint in the original format of Stable Diffusion.",
        )
    return {
        (denoiser if part == "denoiser" else part): tuple(sorted(tensors))
        for part, tensors in found.items()
    }


def tensor_names(file: Path) -> tuple[str, ...]:
    """
    Return the names of the tensors in a safetensors file, without reading them.

    Raises:
        ModelUnusable: it is of another format, damaged or incomplete.
    """
    if file.suffix.lower() != WEIGHTS:
        raise ModelUnusable(
            f"{file} is not loaded: it is no {WEIGHTS} file.",
            advice="Download the model's safetensors file, or have it made; others can run code.",
        )
    return tuple(_check_weights(file))


def tensor_shapes(file: Path) -> Mapping[str, tuple[int, ...]]:
    """Return the shapes of the tensors in a safetensors file that was checked, by name."""
    with file.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
    return {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


def controls_within(folder: Path) -> tuple[Path, ...]:
    """Return the ControlNets that a pipeline folder was saved with, in their order."""
    names = ("controlnet", *(f"controlnet_{number}" for number in range(1, 10)))
    return tuple(folder / name for name in names if (folder / name / "config.json").is_file())


def controlnet_files(
    folder: Path, variant: str = "", *, kind: str = "ControlNet"
) -> Mapping[str, Path]:
    """
    Return the files of a part's own folder by relative path, as `pipeline_files` does.

    Args:
        folder: with the part's config.json and weights.
        variant: as for `pipeline_files`.
        kind: of part, for messages.

    Raises:
        ModelUnusable: it is no such folder, it is incomplete, its weights are pickles, or it holds
            code.
    """
    if not (folder / "config.json").is_file():
        raise ModelUnusable(
            f"{folder} is no {kind} folder: it has no config.json.",
            advice=f"Name the folder that holds the {kind}'s config.json and weights.",
        )
    return _whole(folder, _files(folder, variant), "")


def variant_of(name: str) -> str:
    """Return the form that a weight file's name says, such as `fp16`; empty for the plain one."""
    stem = _SHARD.sub("", Path(name).name.removesuffix(".json"))
    return ".".join(part for part in stem.split(".")[1:] if part not in {"safetensors", "index"})


def _whole(folder: Path, found: dict[str, Path], variant: str) -> dict[str, Path]:
    weights = [name for name in found if name.endswith(WEIGHTS)]
    if not weights:
        raise ModelUnusable(
            f"{folder} holds no safetensors weights.", advice="Download the model again."
        )
    if variant and all(variant_of(name) != variant for name in weights):
        raise ModelUnusable(
            f"{folder} holds no weights of the variant {variant!r}.",
            advice="Correct the model's setting `variant`, or leave it out.",
        )
    return found


def _files(folder: Path, variant: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    pickled: list[Path] = []
    for place, folders, names in os.walk(folder):
        for name in sorted(folders):
            _refuse_link(Path(place) / name)
        for name in sorted(names):
            path = Path(place) / name
            ending = path.suffix.lower()
            _refuse_code(path)
            if ending in _PICKLED:
                pickled.append(path)
            elif ending == WEIGHTS or ending in _CONFIGURATION:
                found[path.relative_to(folder).as_posix()] = path
    if pickled and not any(name.endswith(WEIGHTS) for name in found):
        raise ModelUnusable(
            f"{pickled[0]} is not loaded: {pickled[0].suffix.lower()} files can run code.",
            advice="Download the model's safetensors files, or have them made.",
        )
    return _of_one_form(folder, found, variant)


def _of_one_form(folder: Path, found: dict[str, Path], variant: str) -> dict[str, Path]:
    weights = [name for name in found if WEIGHTS in name]
    forms = {variant_of(name) for name in weights if name.endswith(WEIGHTS)}
    form = variant if variant in forms else ""
    if forms and form not in forms:
        if len(forms) > 1:
            raise ModelUnusable(
                f"{folder} holds its weights in several forms: {', '.join(sorted(forms))}.",
                advice="Name one of them in the model's setting `variant`.",
            )
        (form,) = forms
    for name in weights:
        if variant_of(name) != form:
            del found[name]
        elif name.endswith(WEIGHTS):
            _check_weights(found[name])
    _require_shards(folder, found)
    return found


def _require_shards(folder: Path, found: Mapping[str, Path]) -> None:
    """Make sure that weights in several files are all there, with the list of what is in which."""
    named: set[Path] = set()
    for name, path in found.items():
        if not name.endswith(f"{WEIGHTS}.index.json"):
            continue
        try:
            files = set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values())
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelUnusable(f"{path} cannot be read: {error}.") from error
        named |= {path.parent / str(one) for one in files}
    for path in sorted(named):
        if not path.is_file():
            raise ModelUnusable(
                f"{folder} is incomplete: {path.name} is not there, which holds a part of the "
                "weights.",
                advice="Download the model again.",
            )
    shards = {one for name, one in found.items() if name.endswith(WEIGHTS) and _SHARD.search(name)}
    if lost := sorted(shards - named):
        raise ModelUnusable(
            f"{folder} is incomplete: {lost[0].name} is a part of weights whose index "
            f"(*{WEIGHTS}.index.json) does not name it.",
            advice="Download the model again, with its index.",
        )


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise ModelUnusable(
            f"{folder} is a link to a folder, which is not looked into.",
            advice="Copy the files there.",
        )


def _refuse_code(path: Path) -> None:
    if path.suffix.lower() in _CODE:
        raise ModelUnusable(
            f"{path} is not loaded: {path.suffix.lower()} files can run code.",
            advice="Delete it: Haikei runs no code of a model folder.",
        )


def _check_weights(path: Path) -> list[str]:
    """
    Return the names of a file's tensors, after comparing its size with what its header announces.

    That finds every cut-off download.

    Source: the safetensors format: eight bytes of header length, the header in JSON, the data.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _MAX_HEADER):
                raise _incomplete(path)
            header = json.loads(file.read(length))
        entries = {key: entry for key, entry in header.items() if key != "__metadata__"}
        ends = [entry["data_offsets"][1] for entry in entries.values()]
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise _incomplete(path) from error
    if 8 + length + max(ends, default=0) != size:
        raise _incomplete(path)
    return list(entries)


def _incomplete(path: Path) -> ModelUnusable:
    return ModelUnusable(
        f"{path} is damaged or incomplete.", advice="Download it again and compare its SHA-256."
    )


@dataclass(slots=True)
class HashMemory:
    """
    SHA-256 of files by path, size, time and inode, kept in one small JSON file.

    Losing the file costs only time; a damaged one is taken as lost.
    """

    path: Path
    known: dict[str, str]

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return what is remembered at `path`."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            data = {}
        if not isinstance(data, dict):
            data = {}
        return cls(path, {str(key): str(value) for key, value in data.items()})

    def sha256(self, files: Iterable[Path]) -> Mapping[Path, str]:
        """Return the hash of each file, reading only files that changed since they were seen."""
        found: dict[Path, str] = {}
        fresh = False
        for file in files:
            status = file.stat()
            key = f"{file}|{status.st_size}|{status.st_mtime_ns}|{status.st_ino}"
            if key not in self.known:
                self.known[key] = sha256_of(file)
                fresh = True
            found[file] = self.known[key]
        if fresh:
            self._save()
        return found

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Several threads of several workers may remember at once; the last one wins, whole.
        text = json.dumps(self.known, indent=1, sort_keys=True)
        write_whole(self.path, text.encode(), durable=False)


def part_settings(folder: Path) -> Mapping[str, object]:
    """
    Return what a part's config.json says; nothing where there is none.

    Raises:
        ModelUnusable: it cannot be read.
    """
    file = folder / "config.json"
    if not file.is_file():
        return {}
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnusable(f"{file} cannot be read: {error}.") from error
    return data if isinstance(data, dict) else {}


def combined(hashes: Mapping[str, str]) -> str:
    """Return one hash over named hashes: SHA-256 of `hash  name` lines sorted by name."""
    lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()
