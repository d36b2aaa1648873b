"""`haikei web`: pages, webhooks and menu items."""

from pathlib import Path
from typing import Annotated

import typer

from haikei.cli.output import say
from haikei.cli.process import SupervisedOption, die_with, stop_on_signals
from haikei.cli.studio import SettingsOption, load_settings, open_studio


def web(
    settings: SettingsOption = None,
    *,
    host: Annotated[
        str | None, typer.Option(help="Listen on this address instead of `web.host`.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Listen on this port instead of `web.port`; 0 picks a free one."
        ),
    ] = None,
    url_file: Annotated[
        Path | None, typer.Option(help="Write the address to this file once pages are served.")
    ] = None,
    supervised_by: SupervisedOption = 0,
) -> None:
    """Serve Haikei's pages, webhooks and menu items, until Ctrl-C."""
    die_with(supervised_by)
    from haikei.cli.logs import configure_logs
    from haikei.files import write_whole
    from haikei.settings import Web
    from haikei.web.serving import serve

    loaded = load_settings(settings)
    given = {"host": host, "port": port}
    changed = {name: value for name, value in given.items() if value is not None}
    chosen = Web.model_validate({**dict(loaded.web), **changed})
    configure_logs(loaded.log)

    def announce(url: str) -> None:
        say(f"Haikei's pages: {url}")
        if url_file is not None:
            write_whole(url_file, url.encode())

    serve(
        loaded.model_copy(update={"web": chosen}),
        open_studio(loaded),
        on_ready=announce,
        stop=stop_on_signals(),
    )
