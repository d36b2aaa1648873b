"""Every recipe that ships asks a model of its family for what that takes."""

from pathlib import Path

import pytest

from haikei.errors import HaikeiError
from haikei.generators import Production, ProductionOrder
from haikei.presets import RECIPES, recipe
from haikei.settings import Recipe
from support.models import build_controlnet, build_family, tiny_settings

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:FutureWarning")

#: What stands for the model that a shipped recipe names, and the ControlNets that it asks for.
SHIPPED = {
    "sd15": ("sd15", 0), "sd15-line": ("sd15", 1), "sd15-guided": ("sd15", 2),
    "sdxl": ("sdxl", 0), "sdxl-line": ("sdxl", 1), "sdxl-union": ("sdxl", -1),
    "sdxl-lightning": ("sdxl", 0), "sdxl-hyper": ("sdxl", 0), "sdxl-turbo": ("sdxl", 0),
    "sdxl-lcm": ("sdxl", 0), "sd35": ("sd3", 0), "flux1-dev": ("flux", 0),
    "flux1-schnell": ("schnell", 0), "chroma": ("chroma", 0), "qwen-image": ("qwen", 0),
    "z-image-turbo": ("z-image", 0), "sana-sprint": ("sana", 0), "flux1-kontext": ("kontext", 0),
    "flux2-klein": ("klein", 0),
}  # fmt: skip
#: Those whose classes cannot be made here, for want of a package.
UNTRIED = {"flux2-dev", "qwen-image-edit"}


def order_of(chosen: Recipe) -> ProductionOrder:
    return ProductionOrder(
        layout=Path(), layout_sha256="0" * 64, recipe=chosen, season="summer", time="day",
        place="", seed=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("families")


@pytest.mark.parametrize("name", sorted(set(RECIPES) - {"watercolour"} - UNTRIED))
def test_every_option_of_a_shipped_recipe_is_taken_by_a_model_of_its_family(
    families: Path, tmp_path: Path, name: str
) -> None:
    kind, controls = SHIPPED[name]
    base = families / kind
    if not base.is_dir():
        build_family(kind, base)
    nets: list[Path] = []
    for number in range(abs(controls)):
        net = families / f"{kind}-{controls < 0}-{number}"
        if not net.is_dir():
            build_controlnet(base, net, union=controls < 0, seed=number)
        nets.append(net)
    settings = tiny_settings(tmp_path, {})
    chosen = recipe(settings, name)
    model = chosen.stages[1].model or ""
    production = Production(tiny_settings(tmp_path, {model: {"folder": base, "controlnet": nets}}))
    order = order_of(chosen)

    plans = production.stages(order)

    assert [plan.name for plan in plans] == ["gen1", "gen2"]
    # A model this small has a vocabulary of pieces: it counts more of them than a real one.
    notes = [note for note in plans[1].notes if "is too long" not in note]
    dropped = [note for note in notes if "negative prompt" in note]
    assert dropped == [], "what a recipe does not want reaches its model"


@pytest.mark.parametrize("name", sorted(UNTRIED))
def test_a_recipe_whose_model_is_not_declared_says_which_it_asks_for(
    tmp_path: Path, name: str
) -> None:
    settings = tiny_settings(tmp_path, {})
    chosen = recipe(settings, name)

    with pytest.raises(HaikeiError, match=f"no model '{chosen.stages[1].model}'"):
        Production(settings).stages(order_of(chosen))
