"""The seam for naming rules: what the path of a layout says, where no template can tell it."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from haikei.errors import SettingsError

GROUP = "haikei.naming"


class NamingRule(Protocol):
    """
    Reads the paths below one watched folder, as `PathTemplate` does.

    An entry point in `haikei.naming` names a callable without arguments that returns such an
    object. It is asked for every file that lands, from several threads, and touches no file.
    """

    @property
    def text(self) -> str:
        """How a path looks that the rule reads, as messages print it."""
        ...

    def match(self, relative: str, /) -> Mapping[str, str] | None:
        """
        Return what `relative`, a path with `/` below the folder, says of a layout.

        The keys are `project` and `shot`, and where known `sequence`, `name` and `version`, which
        is decimal digits. None stands for a path of another shape.
        """
        ...


def naming_rules() -> Mapping[str, EntryPoint]:
    """Return the entry point of each naming rule that is installed."""
    return {point.name: point for point in entry_points(group=GROUP)}


def load_naming_rule(name: str) -> NamingRule:
    """
    Return the naming rule that the entry point `name` makes.

    Raises:
        SettingsError: there is no such rule, or it cannot be loaded.
    """
    found = naming_rules()
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError(
            f"There is no naming rule {name!r}.", advice=f"Installed naming rules: {known}."
        )
    try:
        return cast("NamingRule", found[name].load()())
    except Exception as error:
        raise SettingsError(
            f"The naming rule {name!r} ({found[name].value}) cannot be loaded: {error}.",
            advice="Repair the package that brings it, or use watch.folders.template.",
        ) from error
