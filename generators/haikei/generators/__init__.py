"""Who makes the pixels? The seam, and the generators that come with Haikei."""

from haikei.generators.contract import (
    GenerationRequest,
    GenerationResult,
    Generator,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.generators.loading import load_generator
from haikei.generators.production import Production
from haikei.generators.production_order import (
    DrawnLayout,
    ProductionOrder,
    StageLayer,
    StageOutput,
    StagePlan,
    layers_of,
    prompts_of,
    seed_of,
    stage_order,
    variant_seed,
)

__all__ = [
    "DrawnLayout",
    "GenerationRequest",
    "GenerationResult",
    "Generator",
    "Production",
    "ProductionOrder",
    "Progress",
    "ProgressCallback",
    "StageLayer",
    "StageOrder",
    "StageOutput",
    "StagePlan",
    "StageSystem",
    "layers_of",
    "load_generator",
    "prompts_of",
    "seed_of",
    "stage_order",
    "variant_seed",
]
