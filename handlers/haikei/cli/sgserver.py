"""`haikei sgserver`: the embedded tracker."""

import contextlib
import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import say
from haikei.cli.startup import SupervisedOption, die_with, stop_on_signals
from haikei.errors import SettingsError
from haikei.files import write_whole

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
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 picks a free one.")
    ] = 8770,
    script: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:@FILE]",
            help="A script user. Its key is read from FILE, or made and kept in the site's folder "
            "under keys/NAME; a key on the command line could be read by everyone. Repeatable.",
        ),
    ] = None,
    seed: Annotated[Seed, typer.Option(help="What a new site holds.")] = Seed.EMPTY,
    uploads: Annotated[Uploads, typer.Option(help="Which way files go up.")] = Uploads.CLASSIC,
    faults: Annotated[
        Path | None,
        typer.Option(help="A TOML file of what goes wrong on purpose; see the reference."),
    ] = None,
    url_file: Annotated[
        Path | None, typer.Option(help="Write the address to this file once the site answers.")
    ] = None,
    supervised_by: SupervisedOption = 0,
) -> None:
    """Serve an embedded tracker that speaks ShotGrid's protocol, until Ctrl-C."""
    die_with(supervised_by)
    from haikei.cli.startup import configure_logs
    from haikei.settings import Log
    from haikei.sgserver.faults import read_faults
    from haikei.sgserver.http import serve

    configure_logs(Log())

    def announce(url: str) -> None:
        say(f"Serving {data} at {url}")
        if url_file is not None:
            write_whole(url_file, url.encode())

    rules = None if faults is None else read_faults(faults)
    if rules is not None:
        say(f"{len(rules)} faults; the key that changes them is in {data / 'keys' / 'faults'}.")
    serve(
        data=data,
        port=port,
        scripts=[_script(text, data / "keys") for text in script or []],
        seed=seed.value,
        uploads=uploads.value,
        on_ready=announce,
        stop=stop_on_signals(),
        faults=rules,
    )


def _script(text: str, keys: Path) -> "tuple[str, SecretStr]":
    from pydantic import SecretStr

    name, separator, given = text.partition(":")
    if not name or "/" in name or name.startswith(".") or (separator and not given.startswith("@")):
        raise SettingsError(
            f"{name or text!r} is no script user.",
            advice="Write --script NAME:@FILE, or --script NAME for a key that is made for it.",
        )
    file = Path(given[1:]) if separator else keys / name
    try:
        if not separator:
            _make_key(file)
            say(f"The key of {name} is in {file}.")
        key = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"The key file cannot be read: {error}.") from error
    if not key:
        raise SettingsError(f"The key file {file} is empty.", advice="Write the key into it.")
    return name, SecretStr(key)


def _make_key(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as stream:
            stream.write(secrets.token_urlsafe(32))
