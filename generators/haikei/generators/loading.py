"""How a generator is found by name: what the settings declare, else an entry point."""

from importlib.metadata import entry_points
from typing import cast

from haikei.errors import SettingsError
from haikei.generators.contract import Generator
from haikei.settings import Settings

GROUP = "haikei.generators"


def load_generator(name: str, settings: Settings) -> Generator:
    """
    Return the generator that the entry point `name` makes for this studio.

    Raises:
        SettingsError: there is no such generator, or it needs a package that is not installed.
    """
    declared = settings.generators.get(name)
    if declared is not None and declared.argv:
        from haikei.generators.command import CommandGenerator

        return CommandGenerator(settings, name)
    if declared is not None and declared.comfyui is not None:
        from haikei.generators.comfyui import ComfyUiGenerator

        return ComfyUiGenerator(settings, name)
    if declared is not None and declared.images_api is not None:
        from haikei.generators.images_api import ImagesApiGenerator

        return ImagesApiGenerator(settings, name)
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
