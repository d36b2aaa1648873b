"""`haikei recipes`: how layouts become backgrounds, whether they can here, and in what words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_json, print_table, say, warn
from haikei.cli.startup import SettingsOption, load_settings
from haikei.show import CutFacts, Place, Season, TimeOfDay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haikei.generators import ProductionOrder
    from haikei.presets import ChosenRecipe
    from haikei.settings import Settings

app = typer.Typer(
    help="See recipes as they are for a cut, and check that they can be made.",
    no_args_is_help=True,
)


@app.command("list")
def list_recipes(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """List the recipes that ship and the studio's own, by what makes them."""
    from haikei.presets import RECIPES, recipe, recipe_sha256

    loaded = load_settings(settings)
    rows: list[dict[str, object]] = []
    for name in sorted({*RECIPES, *loaded.recipes}):
        found = recipe(loaded, name)
        rows.append(
            {
                "name": name,
                "from": "settings" if name in loaded.recipes else "haikei",
                "stages": [
                    f"{stage.name}: {stage.model or stage.generator}" for stage in found.stages
                ],
                "sha256": recipe_sha256(found),
            }
        )
    if as_json:
        print_json({"recipes": rows})
        return
    print_table(
        ("recipe", "from", "stages", "version"),
        [
            (str(row["name"]), str(row["from"]), ", ".join(row["stages"]), str(row["sha256"])[:12])  # type: ignore[arg-type] # a list of texts
            for row in rows
        ],
    )


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The recipe.")],
    settings: SettingsOption = None,
    *,
    season: Annotated[Season, typer.Option(help="The season.")] = Season.SUMMER,
    time: Annotated[TimeOfDay, typer.Option(help="The time of day.")] = TimeOfDay.DAY,
    project: Annotated[str, typer.Option(help="The show, for its looks.")] = "",
    sequence: Annotated[str, typer.Option(help="The sequence.")] = "",
    shot: Annotated[str, typer.Option(help="The cut.")] = "",
    location: Annotated[str, typer.Option(help="The location of the story.")] = "",
    weather: Annotated[str, typer.Option(help="The weather.")] = "",
    notes: Annotated[str, typer.Option(help="What the storyboard notes.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Show a recipe with all that it extends and that looks ask of a cut, and what models read."""
    from haikei.presets import choose_recipe
    from haikei.settings import toml

    loaded = load_settings(settings)
    place = Place(project=project, sequence=sequence, shot=shot)
    _say_unfit(loaded, project=project, sequence=sequence, shot=shot, location=location)
    chosen = choose_recipe(
        loaded, name, place=place, season=season, time=time,
        cut=CutFacts(location=location, weather=weather, notes=notes),
    )  # fmt: skip
    prompts = _prompts(loaded, _order(chosen, place, season=season, time=time))
    whole = chosen.recipe.model_dump(mode="json", exclude={"extends", "model", "options"})
    if as_json:
        print_json(
            {
                "name": chosen.name, "sha256": chosen.sha256, "recipe": whole,
                "board": chosen.board, "prompts": prompts,
            }
        )  # fmt: skip
        return
    say(f"{chosen.name}  {chosen.sha256}")
    for stage in chosen.recipe.stages:
        given = {key: value for key, value in stage.model_dump().items() if value not in (None, ())}
        say("  " + toml(given))
    for key in ("width", "device_label", "stand_in"):
        if whole[key]:
            say(f"{key}: {whole[key]}")
    if chosen.board is not None:
        say(f"board: {chosen.board}")
    for key, text in prompts.items():
        say(f"{key}: {text}")


@app.command()
def check(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Only this; else those of routes.")
    ] = None,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check that recipes can be made here: models, their files, every option. Nothing is loaded."""
    from haikei.errors import HaikeiError
    from haikei.generators import Production
    from haikei.presets import choose_recipe

    loaded = load_settings(settings)
    names = [name] if name else sorted({*loaded.recipes, *(one.recipe for one in loaded.routes)})
    nowhere = Place(project="", sequence="", shot="")
    production = Production(loaded)
    found: list[dict[str, object]] = []
    for one in names:
        row: dict[str, object] = {"name": one, "ok": True, "message": "", "advice": "", "notes": []}
        try:
            chosen = choose_recipe(
                loaded, one, place=nowhere, season="summer", time="day", cut=CutFacts()
            )
            order = _order(chosen, nowhere, season="summer", time="day")
            row["notes"] = [note for plan in production.stages(order) for note in plan.notes]
            row["sha256"] = chosen.sha256
        except HaikeiError as error:
            row |= {"ok": False, "message": error.message, "advice": error.advice or ""}
        found.append(row)
    bad = any(not row["ok"] for row in found)
    if as_json:
        print_json({"ok": not bad, "recipes": found})
    else:
        for row in found:
            if row["ok"]:
                say(f"{row['name']} can be made.", colour="green")
            else:
                say(f"{row['name']}: {row['message']} {row['advice']}".strip(), colour="red")
            for note in row["notes"]:  # type: ignore[attr-defined] # a list of texts
                say(f"  {note}")
    if bad:
        raise typer.Exit(Exit.FAILED)


def _say_unfit(settings: "Settings", **names: str) -> None:
    """Say of each name that no look is for, where looks are for others: it may be a typo."""
    from haikei.names import fits, nearest_names

    for kind, name in names.items():
        patterns = sorted({getattr(look, kind) for look in settings.looks} - {"*"})
        if name and patterns and not any(fits(pattern, (name,)) for pattern in patterns):
            near = nearest_names(name, patterns)
            warn(
                f"No look of the settings is for the {kind} {name!r}; there are some for "
                f"{', '.join(patterns)}." + (f" Did you mean {near[0]!r}?" if near else ""),
                colour="yellow",
            )


def _order(chosen: "ChosenRecipe", place: Place, *, season: str, time: str) -> "ProductionOrder":
    from haikei.generators import ProductionOrder

    return ProductionOrder(
        layout=Path(), layout_sha256="", recipe=chosen.recipe, recipe_name=chosen.name,
        season=season, time=time, place="", seed=0, cut=chosen.cut, where=place,
        board=chosen.board,
    )  # fmt: skip


def _prompts(settings: "Settings", order: "ProductionOrder") -> "Mapping[str, str]":
    """Return what is read of a recipe's words, whether its models are there or not."""
    from haikei.generators import prompts_of

    positive, negative = prompts_of(order)
    return {key: text for key, text in (("prompt", positive), ("negative", negative)) if text}
