"""Which models may be used: licence, data, and that the files are safe and as expected."""

from haikei.models.entries import KNOWN, KnownModel, RegistryEntry, registry_entries, registry_entry
from haikei.models.folder import DROPPED, WEIGHTS, library_has, library_pipelines, variant_of
from haikei.models.registry import (
    EmbeddingCard,
    IpAdapterCard,
    LoraCard,
    ModelCard,
    model_from_folder,
    open_model,
    require_fitting,
)

__all__ = [
    "DROPPED",
    "KNOWN",
    "WEIGHTS",
    "EmbeddingCard",
    "IpAdapterCard",
    "KnownModel",
    "LoraCard",
    "ModelCard",
    "RegistryEntry",
    "library_has",
    "library_pipelines",
    "model_from_folder",
    "open_model",
    "registry_entries",
    "registry_entry",
    "require_fitting",
    "variant_of",
]
