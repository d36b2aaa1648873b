"""One signer and one set of marked files for all tests of marks: making them costs the time."""

import pytest

from haikei.provenance import MarkSigner
from support.signing import FourSteps, four_steps, signing_settings


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> MarkSigner:
    return MarkSigner.from_settings(signing_settings(tmp_path_factory.mktemp("studio")))


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory, signer: MarkSigner) -> dict[str, FourSteps]:
    """Four steps for each format of the final picture; those of OpenEXR are OpenEXR throughout."""
    folder = tmp_path_factory.mktemp("marked")
    return {
        final: four_steps(
            folder / final, signer, stages="exr" if final == "exr" else "png", final=final
        )
        for final in ("png", "jpg", "tif", "exr")
    }
