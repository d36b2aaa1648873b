"""
A workflow of ComfyUI as a generator, against a server that answers as a live one was measured to.

ComfyUI itself is in no package registry. Where `HAIKEI_COMFYUI` names the address of a live server,
the last test asks that one too.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from haikei.errors import (
    GenerationCancelled,
    GenerationError,
    GeneratorUnavailable,
    ModelUnusable,
    SettingsError,
)
from haikei.generators import (
    GenerationRequest,
    Generator,
    Progress,
    StageOrder,
    load_generator,
)
from haikei.images import Picture
from haikei.settings import Settings
from support.comfyui import WORKFLOW, ComfyServer, comfy_server
from support.jobs import studio_settings

LAYOUT = Picture(pixels=np.random.default_rng(1).random((24, 32, 3), dtype=np.float32))
INPUTS: Mapping[str, str] = {
    "layout": "Layout.image", "prompt": "Prompt.text", "seed": "Paint.seed",
    "amount": "2.amount",
}  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ComfyServer]:
    with comfy_server(tmp_path / "comfy") as server:
        yield server


def settings_of(folder: Path, *servers: str, **more: object) -> Settings:
    workflow = folder / "workflow.json"
    given = {"workflow": WORKFLOW, "inputs": INPUTS, "output": "Result", "timeout": 60.0, **more}
    workflow.write_text(json.dumps(given["workflow"]), encoding="utf-8")
    entry: Mapping[str, object] = {
        "comfyui": {
            "servers": list(servers), "workflow": str(workflow), "inputs": given["inputs"],
            "output": given["output"], "poll": 0.01,
        },
        "name": "Kawa workflow", "version": "3", "licence": "own",
        "licence_url": "https://studio.example/workflow", "commercial": "yes",
        "data": "SDXL and our own paintings.", "takes": ["amount"], "reads_words": True,
        "timeout": given["timeout"],
    }  # fmt: skip
    return studio_settings(folder, generators={"kawa": entry})


def order_of(**options: float) -> StageOrder:
    return StageOrder(generator="kawa", model="", options=tuple(options.items()))


def request_of(
    generator: Generator, *, seed: int = 5, order: StageOrder | None = None
) -> GenerationRequest:
    order = order or order_of(amount=0.5)
    described = generator.describe(order)
    return GenerationRequest(
        layout_sha256="0" * 64, previous_sha256="", stage="gen1", generator="kawa",
        system=described.system, model="", options=order.options, prompt="sea",
        negative_prompt="", place="", season="summer", time="day", seed=seed, width=32, height=24,
        colour_space="srgb", libraries=described.libraries,
    )  # fmt: skip


def ignore(_: Progress) -> None:
    """Take progress and do nothing with it."""


def run(generator: Generator, *, seed: int = 5) -> Picture:
    request = request_of(generator, seed=seed)
    return generator.generate(request, layout=LAYOUT, previous=None, progress=ignore).picture


def test_a_workflow_gets_what_is_bound_by_name_and_gives_a_picture(
    server: ComfyServer, tmp_path: Path
) -> None:
    generator = load_generator("kawa", settings_of(tmp_path, server.address))

    made = run(generator)

    assert np.abs(made.pixels - LAYOUT.pixels / 2).max() < 1e-4
    (graph,) = server.graphs
    assert graph["3"]["inputs"]["text"] == "sea"
    assert graph["2"]["inputs"] == {"image": ["1", 0], "amount": 0.5, "seed": 5}
    assert graph["1"]["inputs"]["image"].startswith("haikei/")


def test_the_stage_before_takes_the_place_of_the_layout_where_it_is_bound(
    server: ComfyServer, tmp_path: Path
) -> None:
    inputs = {"previous": "Layout.image", "amount": "Paint.amount"}
    generator = load_generator("kawa", settings_of(tmp_path, server.address, inputs=inputs))
    before = Picture(pixels=np.full((24, 32, 3), 0.8, np.float32))

    made = generator.generate(
        request_of(generator), layout=LAYOUT, previous=before, progress=ignore
    ).picture

    assert np.abs(made.pixels - 0.4).max() < 1e-4
    notes = generator.describe(order_of()).notes
    assert "The workflow is not given the prompt." in notes
    assert "The workflow is not given the layout." in notes


def test_the_record_names_workflow_version_and_nodes(server: ComfyServer, tmp_path: Path) -> None:
    described = load_generator("kawa", settings_of(tmp_path, server.address)).describe(order_of())
    changed = {**WORKFLOW, "5": {**WORKFLOW["3"], "_meta": {"title": "Other"}}}
    other = load_generator("kawa", settings_of(tmp_path, server.address, workflow=changed))

    libraries = dict(described.libraries)
    assert libraries["comfyui"] == "0.3.64"
    assert len(libraries["nodes"]) == 64
    assert other.describe(order_of()).system.sha256 != described.system.sha256
    server.nodes = {**server.nodes, "Blend": {**server.nodes["Blend"], "python_module": "other"}}
    again = load_generator("kawa", settings_of(tmp_path, server.address)).describe(order_of())
    assert dict(again.libraries)["nodes"] != libraries["nodes"]
    assert not described.negates


def test_a_prompt_that_a_crash_left_behind_is_waited_for_and_not_run_twice(
    server: ComfyServer, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, server.address)
    server.hold = True

    def die(_: Progress) -> None:
        if server.submitted:
            raise KeyboardInterrupt

    first = load_generator("kawa", settings)
    request = request_of(first)
    with pytest.raises(KeyboardInterrupt):
        first.generate(request, layout=LAYOUT, previous=None, progress=die)
    # As a kill leaves it: nobody could take it back.
    server.pending[server.submitted[0]] = server.graphs[0]
    server.hold = False

    made = load_generator("kawa", settings).generate(
        request, layout=LAYOUT, previous=None, progress=ignore
    )

    assert len(server.submitted) == 1
    assert np.abs(made.picture.pixels - LAYOUT.pixels / 2).max() < 1e-4
    run(load_generator("kawa", settings))
    assert len(server.submitted) == 1
    run(load_generator("kawa", settings), seed=6)
    assert len(server.submitted) == 2


def test_a_server_that_was_restarted_gets_the_prompt_again(
    server: ComfyServer, tmp_path: Path
) -> None:
    generator = load_generator("kawa", settings_of(tmp_path, server.address))
    request = request_of(generator)
    server.hold = True

    def lose_it_once(_: Progress) -> None:
        if len(server.submitted) == 1 and server.pending:
            server.restart()
            server.hold = False

    generator.generate(request, layout=LAYOUT, previous=None, progress=lose_it_once)

    assert len(server.submitted) == 2
    assert len(set(server.submitted)) == 1


def test_a_server_that_loses_everything_is_given_up_for_now(
    server: ComfyServer, tmp_path: Path
) -> None:
    generator = load_generator("kawa", settings_of(tmp_path, server.address))
    request = request_of(generator)
    server.hold = True

    with pytest.raises(GeneratorUnavailable, match="lost its prompt 3 times"):
        generator.generate(
            request, layout=LAYOUT, previous=None, progress=lambda _: server.restart()
        )


def test_a_cancelled_prompt_is_taken_back(server: ComfyServer, tmp_path: Path) -> None:
    generator = load_generator("kawa", settings_of(tmp_path, server.address))
    request = request_of(generator)
    server.hold = True

    def stop(_: Progress) -> None:
        if server.submitted:
            message = "stopped"
            raise GenerationCancelled(message)

    with pytest.raises(GenerationCancelled):
        generator.generate(request, layout=LAYOUT, previous=None, progress=stop)

    assert server.pending == {}
    assert {path for path, _ in server.told} == {"/queue", "/interrupt"}


def test_a_workflow_that_takes_too_long_is_stopped(server: ComfyServer, tmp_path: Path) -> None:
    generator = load_generator("kawa", settings_of(tmp_path, server.address, timeout=0.05))
    request = request_of(generator)
    server.hold = True

    with pytest.raises(GenerationError, match=r"took longer than 0\.05 seconds"):
        generator.generate(request, layout=LAYOUT, previous=None, progress=ignore)

    assert server.pending == {}


def test_a_failing_node_is_named_and_a_later_try_runs_again(
    server: ComfyServer, tmp_path: Path
) -> None:
    generator = load_generator("kawa", settings_of(tmp_path, server.address))
    server.fail = "out of paint"

    with pytest.raises(GenerationError, match="Blend: out of paint"):
        run(generator)

    server.fail = ""
    run(generator)
    assert len(server.submitted) == 2


def test_what_the_server_refuses_is_said_with_its_node(server: ComfyServer, tmp_path: Path) -> None:
    inputs = {"amount": "Paint.amount"}
    generator = load_generator("kawa", settings_of(tmp_path, server.address, inputs=inputs))

    with pytest.raises(GenerationError, match=r"node 1 \(LoadImage\): .*Invalid image"):
        run(generator)


def test_a_picture_of_another_size_is_refused(server: ComfyServer, tmp_path: Path) -> None:
    server.small = True

    with pytest.raises(GenerationError, match="made 8 x 8 pixels where 32 x 24"):
        run(load_generator("kawa", settings_of(tmp_path, server.address)))


def test_work_goes_to_the_server_that_is_free_and_answers(
    server: ComfyServer, tmp_path: Path
) -> None:
    with comfy_server(tmp_path / "two") as free, comfy_server(tmp_path / "three") as away:
        away.away = True
        server.hold = True
        server.pending["somebody-elses"] = WORKFLOW
        settings = settings_of(tmp_path, away.address, server.address, free.address)

        run(load_generator("kawa", settings))

        assert (len(server.submitted), len(free.submitted), away.submitted) == (0, 1, [])
        free.away = server.away = True
        with pytest.raises(GeneratorUnavailable, match="No server of the workflow 'kawa' answers"):
            load_generator("kawa", settings).describe(order_of())


@pytest.mark.parametrize(
    ("more", "order", "said"),
    [
        ({}, order_of(blur=1.0), "has no option 'blur'"),
        ({}, replace(order_of(), model="sdxl"), "takes no model"),
        ({"inputs": {**INPUTS, "blur": "Paint.seed"}}, order_of(), "Nothing gives the workflow"),
        ({"inputs": {"prompt": "Prompt.words"}}, order_of(), "has no input 'Prompt.words'"),
        ({"inputs": {"prompt": "Words.text"}}, order_of(), "has no node called 'Words'"),
        ({"output": "Nobody"}, order_of(), "has no node called 'Nobody'"),
        ({"workflow": {"nodes": [], "links": []}}, order_of(), "no workflow in API format"),
        ({"workflow": {**WORKFLOW, "9": WORKFLOW["3"]}}, order_of(), "several nodes called"),
        (
            {"workflow": {**WORKFLOW, "9": {"class_type": "Unheard", "inputs": {}}}},
            order_of(),
            "has no node 'Unheard'",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_before(
    server: ComfyServer, tmp_path: Path, more: Mapping[str, object], order: StageOrder, said: str
) -> None:
    generator = load_generator("kawa", settings_of(tmp_path, server.address, **more))

    with pytest.raises((SettingsError, ModelUnusable), match=said) as caught:
        generator.describe(order)

    assert caught.value.advice


def test_a_workflow_that_changed_after_the_request_is_not_run(
    server: ComfyServer, tmp_path: Path
) -> None:
    request = request_of(load_generator("kawa", settings_of(tmp_path, server.address)))
    changed = {**WORKFLOW, "5": WORKFLOW["3"]}
    generator = load_generator("kawa", settings_of(tmp_path, server.address, workflow=changed))

    with pytest.raises(ModelUnusable, match="changed after this picture was asked for"):
        generator.generate(request, layout=LAYOUT, previous=None, progress=ignore)


@pytest.mark.skipif("HAIKEI_COMFYUI" not in os.environ, reason="HAIKEI_COMFYUI names no server")
def test_a_live_server_inverts_a_picture(tmp_path: Path) -> None:
    workflow = {
        "1": {"class_type": "LoadImage", "inputs": {"image": ""}, "_meta": {"title": "Layout"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {
            "class_type": "SaveImage",
            "inputs": {"images": ["2", 0], "filename_prefix": "haikei"},
            "_meta": {"title": "Result"},
        },
    }
    settings = settings_of(
        tmp_path, os.environ["HAIKEI_COMFYUI"], workflow=workflow,
        inputs={"layout": "Layout.image"},
    )  # fmt: skip
    generator = load_generator("kawa", settings)
    request = request_of(generator, order=order_of())

    made = generator.generate(request, layout=LAYOUT, previous=None, progress=ignore).picture

    assert np.abs(made.pixels - (1 - LAYOUT.pixels)).max() < 0.01
