"""What may a studio set? One TOML file, overridable by the environment."""

from haikei.settings.credits import Credits, LedgerKeeping, Mail, Reports, Signing
from haikei.settings.describing import Setting, describe, reference, starter, toml
from haikei.settings.loading import Reading, load, read, settings_path
from haikei.settings.mistakes import Mistake
from haikei.settings.people import PersonEntry, StaffEntry
from haikei.settings.studio import (
    Device,
    Engine,
    Events,
    Log,
    Model,
    Policy,
    Recipe,
    Route,
    Settings,
    Stage,
    Storage,
    StorageRoot,
    Studio,
    Tracker,
    Unnamed,
    Variant,
    Watch,
    WatchFolder,
    WatchMode,
)
from haikei.settings.template import PathTemplate

__all__ = [
    "Credits",
    "Device",
    "Engine",
    "Events",
    "LedgerKeeping",
    "Log",
    "Mail",
    "Mistake",
    "Model",
    "PathTemplate",
    "PersonEntry",
    "Policy",
    "Reading",
    "Recipe",
    "Reports",
    "Route",
    "Setting",
    "Settings",
    "Signing",
    "StaffEntry",
    "Stage",
    "Storage",
    "StorageRoot",
    "Studio",
    "Tracker",
    "Unnamed",
    "Variant",
    "Watch",
    "WatchFolder",
    "WatchMode",
    "describe",
    "load",
    "read",
    "reference",
    "settings_path",
    "starter",
    "toml",
]
