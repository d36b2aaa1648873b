"""Doors of packages: names that are loaded only when somebody asks for them."""

from collections.abc import Callable, Mapping
from importlib import import_module


def on_demand(package: str, modules: Mapping[str, tuple[str, ...]]) -> Callable[[str], object]:
    """
    Return a module's `__getattr__` (PEP 562) that loads names of heavy modules on first use.

    Commands start in a fraction of a second because a door does not load what stands behind it.
    Type checkers read the same names from a `TYPE_CHECKING` block beside the call.

    Args:
        package: the package's `__name__`.
        modules: names by the module that defines them.
    """
    origin = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> object:
        if name not in origin:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(import_module(origin[name]), name)

    return load
