"""Which names are a generator's, and which are people's who are called like one."""

import pytest

from haikei.credits import is_machine_name


@pytest.mark.parametrize(
    "name",
    [
        "Midjourney v7",
        "midjourney",
        "Mid-Journey 6.1",
        "Ｍｉｄｊｏｕｒｎｅｙ",
        "Mid\u200bjourney",
        "Aoi Sato (Midjourney)",
        "ミッドジャーニー",
        "Stable Diffusion XL",
        "ComfyUI",
        "DALL-E 3",
        "DALL·E",
        "Adobe Firefly",
        "Firefly 3",
        "Google Imagen 4",
        "Flux.1-dev",
        "Niji 6",
        "Sora 2",
        "Sora AI",
        "Google Gemini",
        "GPT-4o",
        "AI",
        "AI artist",
    ],
)
def test_generators_are_no_people(name: str) -> None:
    assert is_machine_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Ai",
        "Aoi Sato",
        "佐藤葵",
        "Sora",
        "Sora Tanaka",
        "Niji Tanaka",
        "Claude Monet",
        "Leonardo Rossi",
        "Roberto Dalle Molle",
        "Gemini Flores",
        "Max Flux Weber",
        "Max",
    ],
)
def test_people_are_people_whatever_a_service_is_called(name: str) -> None:
    assert not is_machine_name(name)
