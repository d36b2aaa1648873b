"""`haikei sgserver`: the embedded tracker."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import say
from haikei.cli.startup import SupervisedOption, die_with, stop_on_signals
from haikei.errors import SettingsError

if TYPE_CHECKING:
    from pydantic import SecretStr


class Seed(StrEnum):
    """What a new site holds."""

    DEMO = "demo"
    EMPTY = "empty"


class Uploads(StrEnum):
    """Which way files go up."""

    CLASSIC = "classic"
    CLOUD = "cloud"


def sgserver(
    data: Annotated[Path, typer.Option(help="The folder that holds the site.")],
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 picks a free one.")] = 8770,
    script: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:KEY",
            help="A script user and its key; NAME:@FILE reads the key from a file. Repeatable.",
        ),
    ] = None,
    seed: Annotated[Seed, typer.Option(help="What a new site holds.")] = Seed.EMPTY,
    uploads: Annotated[Uploads, typer.Option(help="Which way files go up.")] = Uploads.CLASSIC,
    url_file: Annotated[
        Path | None, typer.Option(help="Write the address to this file once the site answers.")
    ] = None,
    supervised_by: SupervisedOption = 0,
) -> None:
    """Serve an embedded tracker that speaks ShotGrid's protocol, until Ctrl-C."""
    die_with(supervised_by)
    from haikei.cli.startup import configure_logs
    from haikei.settings import Log
    from haikei.sgserver.http import serve

    configure_logs(Log())

    def announce(url: str) -> None:
        say(f"Serving {data} at {url}")
        if url_file is not None:
            url_file.write_text(url, encoding="utf-8")

    serve(
        data=data,
        port=port,
        scripts=[_script(text) for text in script or []],
        seed=seed.value,
        uploads=uploads.value,
        on_ready=announce,
        stop=stop_on_signals(),
    )


def _script(text: str) -> "tuple[str, SecretStr]":
    name, _, key = text.partition(":")
    if key.startswith("@"):
        try:
            key = Path(key[1:]).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"The key file cannot be read: {error}.") from error
    if not name or not key:
        raise SettingsError(
            f"{name or text!r} is no script user.", advice="Write --script NAME:KEY or NAME:@FILE."
        )
    from pydantic import SecretStr

    return name, SecretStr(key)
