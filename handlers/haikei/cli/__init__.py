"""
The command line: one file a command, each importing what is heavy only when it runs.

All commands are put together here, with what a person sees when one fails.
"""

import re
import sys
from importlib.metadata import version
from typing import Annotated, Any, Protocol, cast

import typer

from haikei.cli import (
    backup,
    config,
    database,
    demo,
    doctor,
    generate_command,
    jobs,
    ledger,
    models_command,
    processes,
    read,
    recipes_command,
    report,
    sgserver,
    submit,
    support_bundle,
    verify,
    versions,
    web,
)
from haikei.cli import doctor as status
from haikei.cli.credits import app as credits_app
from haikei.cli.output import Exit, fail, print_error, say, warn
from haikei.errors import HaikeiError
from haikei.names import nearest_names

app = typer.Typer(
    name="haikei",
    help="Turn published layouts into reviewed, versioned and credited backgrounds.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:  # noqa: FBT001 (a callback of typer's)
    if wanted:
        say(f"haikei {version('haikei')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Say which version this is."
        ),
    ] = False,
) -> None:
    """Turn published layouts into reviewed, versioned and credited backgrounds."""


app.command("demo")(demo.demo)
app.command("run")(processes.run)
app.command("reload")(processes.reload)
app.command("watch")(processes.watch)
app.command("events")(processes.events)
app.command("review")(processes.review)
app.command("worker")(processes.worker)
app.command("status")(status.status)
app.command("sgserver")(sgserver.sgserver)
app.command("generate")(generate_command.generate)
app.command("read")(read.read)
app.command("backfill")(generate_command.backfill)
app.command("submit")(submit.submit)
app.command("decide")(versions.decide)
app.command("touchup")(versions.touchup)
app.command("verify")(verify.verify)
app.command("check-report")(report.check_report)
app.command("setup")(doctor.setup)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("support-bundle")(support_bundle.support_bundle)
app.add_typer(report.app, name="report")
app.add_typer(database.app, name="database")
app.add_typer(web.app, name="web")
app.add_typer(jobs.app, name="jobs")
app.add_typer(credits_app, name="credits")
app.add_typer(ledger.app, name="ledger")
app.add_typer(models_command.app, name="models")
app.add_typer(recipes_command.app, name="recipes")
app.add_typer(config.app, name="config")


def main() -> None:
    """Run the command line; an error is one clear sentence and an exit code, never a traceback."""
    # Programs get a wrong command line in the shape of all errors; people get it with the usage.
    for_people = "--json" not in sys.argv
    try:
        sys.exit(app(prog_name="haikei", standalone_mode=False))
    except HaikeiError as error:
        sys.exit(fail(error))
    except typer.Abort:
        if for_people:
            warn("Aborted; nothing was done.")
        sys.exit(Exit.FAILED)
    except _REFUSAL as error:
        refusal = cast("_Refusal", error)
        refusal.message = _with_nearest(refusal.message)
        if for_people:
            _show(refusal)
        else:
            message = refusal.format_message()
            print_error("UsageError", message, "See `haikei --help`.", as_json=True)
        sys.exit(refusal.exit_code)


class _Refusal(Protocol):
    """What typer raises for a wrong command line, whose class has no public name in typer."""

    exit_code: int
    message: str

    def format_message(self) -> str: ...


def _show(refusal: _Refusal) -> None:
    from typer.rich_utils import rich_format_error

    rich_format_error(cast("Any", refusal))


_CHOICE = re.compile(r"'(?P<given>.*)' is not one of (?P<known>'.*')\.")


def _with_nearest(message: str) -> str:
    """Return a refusal's words with the choice that is most like what was written."""
    plain = message.removeprefix("Value error, ")
    wrong = _CHOICE.fullmatch(plain)
    if wrong is None:
        return plain
    near = nearest_names(wrong["given"], re.findall(r"'([^']*)'", wrong["known"]))
    return f"{plain} Did you mean {near[0]!r}?" if near else plain


#: The base of what typer refuses a command line with.
_REFUSAL = cast("type[Exception]", typer.BadParameter.__mro__[2])


__all__ = ["main"]
