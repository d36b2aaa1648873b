"""`haikei models`: what may make pictures, on which terms, and for which shows."""

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Commercial, DataKind, Exit, JsonOption, print_json, print_table, say
from haikei.cli.startup import SettingsOption, find_person, load_settings, open_studio

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from haikei.credits.record import Statement
    from haikei.models import RegistryEntry
    from haikei.settings import Model, Settings

app = typer.Typer(
    help="See, add, check and remove models; approve them for a show.", no_args_is_help=True
)
KeyArgument = Annotated[str, typer.Argument(metavar="NAME", help="Its name in the settings.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


@app.command("list")
def list_models(
    settings: SettingsOption = None,
    *,
    known: Annotated[
        bool, typer.Option("--known", help="The well-known models whose facts ship, instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List what may make pictures, or which well-known models `add` knows."""
    from haikei.models import KNOWN, registry_entries

    if known:
        facts = [
            {
                "name": one.key, "model": f"{one.name} {one.version}", "licence": one.licence,
                "commercial": one.commercial, "data_class": one.data_class,
                "provider": one.provider, "seen": one.seen.isoformat(), "doubt": one.doubt,
            }
            for one in KNOWN.values()
        ]  # fmt: skip
    else:
        facts = [
            {
                "name": one.key, "kind": one.kind, "model": f"{one.name} {one.version}".strip(),
                "licence": one.licence, "commercial": one.commercial,
                "data_class": one.data_class, "provider": one.provider, "runs": one.runs,
            }
            for one in registry_entries(load_settings(settings))
        ]  # fmt: skip
    if as_json:
        print_json({"models": facts})
        return
    print_table(tuple(facts[0]), [tuple(str(value) for value in one.values()) for one in facts])


@app.command()
def show(key: KeyArgument, settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Show one entry: its terms, the hashes of its files, and who approved it for what."""
    loaded = load_settings(settings)
    entry = _entry(loaded, key)
    files = _files(loaded, key) if entry.kind == "model" else {}
    with _reading(loaded) as connection:
        statements = _approvals(connection, key)
    facts = _facts(entry)
    approvals = [
        {
            "project": one.project, "answer": one.answer, "by": one.by.id, "at": one.at,
            "of": one.text, "reference": one.reference,
        }
        for one in statements
    ]  # fmt: skip
    if as_json:
        print_json({**facts, "files": files, "approvals": approvals})
        return
    for name, value in facts.items():
        if value:
            say(f"{name}: {value}")
    for name, sha256 in files.items():
        say(f"{sha256}  {name}")
    for one in statements:
        word = "approved" if one.answer == "yes" else "withdrawn"
        say(f"{word} for {one.project} by {one.by.name or one.by.id} on {one.at:%Y-%m-%d}")


@app.command()
def verify(
    key: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this one.")] = None,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check that models may be used and that every weight file is the one that was added."""
    from haikei.errors import HaikeiError
    from haikei.models import WEIGHTS, open_model

    loaded = load_settings(settings)
    keys = [_entry(loaded, key).key] if key else sorted(loaded.models)
    found: list[tuple[str, bool, str]] = []
    for one in keys:
        model = loaded.models.get(one)
        if model is None:
            found.append((one, True, "runs no weights"))
            continue
        try:
            card = open_model(loaded, one, tuple(model.loras))
        except HaikeiError as error:
            found.append((one, False, str(error)))
            continue
        names = [
            *(name for name, _ in card.files if name.endswith(WEIGHTS)),
            *(f"loras/{name}" for name in model.loras),
        ]
        unknown = [name for name in names if name not in model.sha256]
        result = f"{len(names)} weight files are as expected"
        if unknown:
            result = (
                f"no SHA-256 is expected of {', '.join(unknown)}; `haikei models add` notes them"
            )
        found.append((one, not unknown, result))
    if as_json:
        print_json({
            "models": [{"name": name, "ok": ok, "says": result} for name, ok, result in found]
        })  # fmt: skip
    else:
        for name, ok, result in found:
            say(f"{'ok' if ok else 'NOT'}  {name}: {result}", colour=None if ok else "red")
    if not all(ok for _, ok, _ in found):
        raise typer.Exit(Exit.FAILED)


@app.command()
def add(
    key: KeyArgument,
    folder: Annotated[
        Path, typer.Argument(help="A folder in diffusers format, or one safetensors file.")
    ],
    settings: SettingsOption = None,
    *,
    config: Annotated[
        Path | None, typer.Option(help="For one file: a folder of the same kind of model.")
    ] = None,
    controlnet: Annotated[
        Path | None, typer.Option(help="A ControlNet folder that follows the lines.")
    ] = None,
    known: Annotated[
        str, typer.Option(help="Take the facts of this well-known model (`list --known`).")
    ] = "",
    name: Annotated[str, typer.Option(help="Its name as records print it.")] = "",
    version: Annotated[str, typer.Option(help="Its version as records print it.")] = "",
    licence: Annotated[str, typer.Option(help="Its licence.")] = "",
    licence_url: Annotated[str, typer.Option(help="Where the licence can be read.")] = "",
    commercial: Annotated[
        Commercial | None, typer.Option(help="Whether it allows commercial use.")
    ] = None,
    data: Annotated[str, typer.Option(help="What it was trained on, in a sentence.")] = "",
    data_class: Annotated[
        DataKind | None, typer.Option(help="Of what kind its training data are.")
    ] = None,
    attribution: Annotated[str, typer.Option(help="Text that the licence asks for.")] = "",
    provider: Annotated[str, typer.Option(help="Who made it.")] = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Declare a model in the settings, with its terms and the hash of every weight file."""
    from haikei.errors import ModelUnusable
    from haikei.files import write_whole
    from haikei.models import KNOWN, WEIGHTS, model_from_folder
    from haikei.settings import settings_path
    from haikei.settings.editing import with_table

    facts = KNOWN.get(known)
    if known and facts is None:
        raise ModelUnusable(
            f"No facts ship about a model {known!r}.", advice="`haikei models list --known`."
        )
    loaded = load_settings(settings)
    model = model_from_folder(
        folder,
        config=config,
        controlnet=controlnet,
        name=name or (facts.name if facts else ""),
        version=version or (facts.version if facts else ""),
        licence=licence or (facts.licence if facts else ""),
        licence_url=licence_url or (facts.licence_url if facts else ""),
        commercial=commercial.value if commercial else facts.commercial if facts else None,
        data=data or (facts.data if facts else ""),
        attribution=attribution,
        data_class=data_class.value if data_class else facts.data_class if facts else "undisclosed",
        provider=provider or (facts.provider if facts else ""),
    )
    whole = loaded.model_copy(update={"models": {**loaded.models, key: model}})
    files = _files(whole, key)
    hashes = {one: sha256 for one, sha256 in files.items() if one.endswith(WEIGHTS)}
    path = settings_path(settings)
    text = with_table(path.read_text(encoding="utf-8"), f"models.{key}", _table(model, hashes))
    if not dry_run:
        write_whole(path, text.encode())
        load_settings(settings)
    if as_json:
        print_json({"name": key, "added": not dry_run, "sha256": hashes})
        return
    word = "Would declare" if dry_run else "Declared"
    say(f"{word} {model.name} {model.version} as [models.{key}], {len(hashes)} weight files.")
    if facts is not None:
        say(f"Its facts are of {facts.seen}: read {model.licence_url} before you rely on them.")
        if facts.doubt:
            say(facts.doubt, colour="yellow")


@app.command()
def remove(
    key: KeyArgument,
    settings: SettingsOption = None,
    *,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take a model out of the settings; its files and what was recorded of it stay."""
    from haikei.errors import SettingsError
    from haikei.files import write_whole
    from haikei.settings import settings_path
    from haikei.settings.editing import without_table

    loaded = load_settings(settings)
    used = [
        recipe
        for recipe, one in loaded.recipes.items()
        if one.model == key or any(stage.model == key for stage in one.stages)
    ]
    if used:
        raise SettingsError(
            f"The model {key!r} is used by the recipe {', '.join(sorted(used))}.",
            advice="Change the recipe first.",
        )
    path = settings_path(settings)
    text = without_table(path.read_text(encoding="utf-8"), f"models.{key}")
    if not dry_run:
        write_whole(path, text.encode())
        load_settings(settings)
    if as_json:
        print_json({"name": key, "removed": not dry_run})
        return
    say(f"{'Would remove' if dry_run else 'Removed'} [models.{key}]. Its files are left alone.")


@app.command()
def approve(
    key: KeyArgument,
    project: Annotated[str, typer.Option(help="The show, by its name in paths.")],
    by: Annotated[str, typer.Option(help="Who answers for it: an id or a name.")],
    settings: SettingsOption = None,
    *,
    new_person: Annotated[
        bool, typer.Option("--new-person", help="Somebody whom the register does not know yet.")
    ] = False,
    reference: Annotated[str, typer.Option(help="Where it is recorded, such as a mail.")] = "",
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="It may not be used any more.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Take a show of which nothing is known as it is.")
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Approve a model, with the weights that are there now, for a show; or withdraw that."""
    from haikei.cli.name_check import known_place
    from haikei.credits.record import Statement, StatementKind
    from haikei.credits.records import statements
    from haikei.database import utc_now
    from haikei.generators import StageOrder, load_generator
    from haikei.models import open_model
    from haikei.show import Place

    loaded = load_settings(settings)
    entry = _entry(loaded, key)
    if entry.kind == "model":
        sha256 = open_model(loaded, key).sha256
    else:
        # What stands for its weights: the hash of a program, a workflow or a declared service.
        order = StageOrder(generator=key, model="", options=())
        sha256 = load_generator(key, loaded).describe(order).system.sha256
    at = utc_now()
    with _reading(loaded) as connection:
        place = Place(project=project, sequence="", shot="")
        project = known_place(connection, loaded, place, anyway=anyway).project
        person = find_person(connection, by, new=new_person)
    statement = Statement(
        key=hashlib.sha256(f"{key}\n{project}\n{sha256}\n{at.isoformat()}".encode()).hexdigest(),
        kind=StatementKind.MODEL_APPROVED,
        project=project,
        sequence="",
        shot="",
        image_sha256="",
        by=person,
        to="",
        subject=key,
        answer="no" if withdraw else "yes",
        text=f"{entry.name} {entry.version}, SHA-256 {sha256}",
        reference=reference,
        at=at,
    )
    seq: int | None = None
    if not dry_run:
        with open_studio(loaded) as database, database.begin() as connection:
            seq = statements.record(connection, statement)
    if as_json:
        print_json({
            "name": key, "project": project, "approved": not withdraw, "sha256": sha256,
            "by": person.id, "ledger": seq,
        })  # fmt: skip
        return
    word = "withdrawn from" if withdraw else "approved for"
    done = f"Sealed as entry {seq}" if seq is not None else "Would seal"
    say(f"{done}: {entry.name} {entry.version} is {word} {project}, by {person.id}.")


def _entry(settings: "Settings", key: str) -> "RegistryEntry":
    from haikei.errors import SettingsError
    from haikei.models import registry_entries

    entries = {one.key: one for one in registry_entries(settings)}
    if key not in entries:
        raise SettingsError(f"The registry has no {key!r}.", advice=f"It has {', '.join(entries)}.")
    return entries[key]


def _facts(entry: "RegistryEntry") -> dict[str, object]:
    return {
        "name": entry.key, "kind": entry.kind, "model": f"{entry.name} {entry.version}".strip(),
        "licence": entry.licence, "licence_url": entry.licence_url,
        "commercial": entry.commercial, "data": entry.data, "data_class": entry.data_class,
        "provider": entry.provider, "runs": entry.runs, "contract": entry.contract,
        "attribution": entry.attribution,
    }  # fmt: skip


def _files(settings: "Settings", key: str) -> Mapping[str, str]:
    from haikei.models import open_model

    model = settings.models[key]
    card = open_model(settings, key, tuple(model.loras))
    return {
        **dict(card.files),
        **{f"loras/{lora.name}": lora.sha256 for lora in card.loras},
    }


def _table(model: "Model", hashes: Mapping[str, str]) -> dict[str, object]:
    given = model.model_dump(exclude_defaults=True, exclude={"sha256", "loras", "embeddings"})
    given["licence_url"] = str(model.licence_url)
    return {**given, "sha256": dict(hashes)}


def _approvals(connection: "Connection", key: str) -> tuple["Statement", ...]:
    from haikei.credits.records import statements

    return tuple(statements.approvals_of(connection, key))


@contextmanager
def _reading(settings: "Settings") -> Generator["Connection"]:
    from haikei.database import reading

    with open_studio(settings) as database, reading(database) as connection:
        yield connection
