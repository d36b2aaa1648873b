"""Which models may be used: licence, data, and that the files are safe and as expected."""

from haikei.models.folder import WEIGHTS, variant_of
from haikei.models.registry import ModelCard, model_from_folder, open_model

__all__ = ["WEIGHTS", "ModelCard", "model_from_folder", "open_model", "variant_of"]
