"""All commands, put together, and what a person sees when one fails."""

import sys

import typer

from haikei.cli import (
    backfill,
    check_report,
    config,
    decide,
    demo,
    doctor,
    events,
    generate,
    jobs,
    ledger,
    report,
    review,
    run,
    setup,
    sgserver,
    touchup,
    verify,
    watch,
    web,
    worker,
)
from haikei.cli.credits import app as credits_app
from haikei.cli.output import fail
from haikei.errors import HaikeiError

app = typer.Typer(
    name="haikei",
    help="Turn published layouts into reviewed, versioned and credited backgrounds.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("run")(run.run)
app.command("watch")(watch.watch)
app.command("events")(events.events)
app.command("review")(review.review)
app.command("web")(web.web)
app.command("worker")(worker.worker)
app.command("sgserver")(sgserver.sgserver)
app.command("generate")(generate.generate)
app.command("backfill")(backfill.backfill)
app.command("decide")(decide.decide)
app.command("touchup")(touchup.touchup)
app.command("verify")(verify.verify)
app.command("report")(report.report)
app.command("check-report")(check_report.check_report)
app.command("setup")(setup.setup)
app.command("doctor")(doctor.doctor)
app.add_typer(jobs.app, name="jobs")
app.add_typer(credits_app, name="credits")
app.add_typer(ledger.app, name="ledger")
app.add_typer(config.app, name="config")


def main() -> None:
    """Run the command line; an error is one clear sentence and an exit code, never a traceback."""
    try:
        app()
    except HaikeiError as error:
        sys.exit(fail(error))
