"""`haikei web`: serve pages and the API, and make the tokens with which programs use it."""

from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import JsonOption, print_json, print_table, say, warn
from haikei.cli.startup import (
    SettingsOption,
    SupervisedOption,
    die_with,
    keep_metrics,
    load_settings,
    open_studio,
    stop_on_signals,
)

if TYPE_CHECKING:
    from haikei.web.api.operations import ApiToken, Tokens

app = typer.Typer()
token_app = typer.Typer(help="Tokens of programs that use the API.", no_args_is_help=True)
app.add_typer(token_app, name="token")


@app.callback(invoke_without_command=True)
def web(
    context: typer.Context,
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
    """Serve Haikei's pages, API, webhooks and menu items, until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    die_with(supervised_by)
    loaded = load_settings(settings)
    keep_metrics(loaded)
    from haikei.cli.startup import configure_logs
    from haikei.files import write_whole
    from haikei.jobs.engine.presence import attending
    from haikei.settings import Web
    from haikei.web.application import serve

    given = {"host": host, "port": port}
    changed = {name: value for name, value in given.items() if value is not None}
    try:
        chosen = Web.model_validate({**dict(loaded.web), **changed})
    except ValueError as error:
        raise typer.BadParameter(
            f"{host!r} is no host to listen on", param_hint="--host"
        ) from error
    configure_logs(loaded.log)

    def announce(url: str) -> None:
        say(f"Haikei's pages: {url}")
        if url_file is not None:
            write_whole(url_file, url.encode())

    stop = stop_on_signals()
    with open_studio(loaded) as database, attending(loaded, database, "web", stop):
        chosen_settings = loaded.model_copy(update={"web": chosen})
        serve(chosen_settings, database, on_ready=announce, stop=stop)


class ScopeOption(StrEnum):
    """What a token is good for."""

    SUBMIT = "submit"
    READ = "read"
    DECIDE = "decide"


@token_app.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What uses it, such as `farm` or `Toolkit`.")],
    *,
    scope: Annotated[
        list[ScopeOption],
        typer.Option(help="What it is good for: hand files in, see, decide. Repeatable."),
    ] = [ScopeOption.SUBMIT, ScopeOption.READ],  # noqa: B006 - typer's default, never changed
    login: Annotated[
        str, typer.Option(help="Whose decisions are taken with it; else each may name somebody.")
    ] = "",
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="How long it lasts; else until revoked.")
    ] = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token and print it, once: only its hash is kept."""
    from haikei.web.api.operations import ApiScope

    scopes = [ApiScope(one.value) for one in scope]
    with _tokens(settings) as tokens:
        made, shown = tokens.create(name, scopes, login=login, days=days)
    if as_json:
        print_json({**_plain(made), "token": shown.get_secret_value()})
        return
    say(shown.get_secret_value())
    warn(f"This is the only time that it is shown. `haikei web token revoke {made.id}` ends it.")


@token_app.command("list")
def list_tokens(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """List all tokens, without what opens anything."""
    with _tokens(settings) as tokens:
        found = [_plain(one) for one in tokens.all()]
    if as_json:
        print_json({"tokens": found})
        return
    columns = ("id", "name", "scopes", "login", "state", "used_at", "expires_at")
    rows = [[_cell(one[column]) for column in columns] for one in found]
    print_table(columns, rows)


@token_app.command("revoke")
def revoke_token(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `list` shows it.")],
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Let a token open nothing any more, from the next request on."""
    with _tokens(settings) as tokens:
        revoked = _plain(tokens.revoke(id_))
    if as_json:
        print_json(revoked)
        return
    say(f"{revoked['id']} ({revoked['name']}) opens nothing any more.")


@contextmanager
def _tokens(settings: Path | None) -> "Generator[Tokens]":
    from haikei.web.api.operations import Tokens

    with open_studio(load_settings(settings)) as database:
        yield Tokens(database)


def _plain(token: "ApiToken") -> dict[str, object]:
    from haikei.database import utc_now

    good = token.is_good(utc_now())
    return {
        "id": token.id,
        "name": token.name,
        "scopes": sorted(one.value for one in token.scopes),
        "login": token.login,
        "state": "good" if good else "revoked" if token.revoked_at else "expired",
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "used_at": token.used_at,
    }


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)[:19]
