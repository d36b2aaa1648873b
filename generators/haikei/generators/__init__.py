"""Who makes the pixels? The seam, and the generators that come with Haikei."""

from haikei.generators.generator import (
    GenerationRequest,
    GenerationResult,
    Generator,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.generators.loading import load_generator

__all__ = [
    "GenerationRequest",
    "GenerationResult",
    "Generator",
    "Progress",
    "ProgressCallback",
    "StageOrder",
    "StageSystem",
    "load_generator",
]
