"""`haikei check-report FILE`: is this report the one that the studio signed?"""

from pathlib import Path
from typing import Annotated

import typer

from haikei.cli.output import JsonOption, print_json, say
from haikei.cli.studio import SettingsOption, load_settings


def check_report(
    file: Annotated[Path, typer.Argument(help="A signed report; its .sig file is beside it.")],
    key: Annotated[
        str, typer.Option(help="The signer's vkey (`haikei ledger key`); else this studio's own.")
    ] = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check the signature beside a report, such as the list of work without AI."""
    from haikei.ledger import note_signer
    from haikei.ledger.note import VerifierKey
    from haikei.reports.sealing import check_seal

    known = VerifierKey.parse(key) if key else note_signer(load_settings(settings)).key
    found = check_seal(file, known)
    if as_json:
        print_json(
            {
                "report": found.report,
                "studio": found.studio,
                "scope": found.scope,
                "made_at": found.made_at.isoformat(),
                "ledger_size": found.ledger_size,
                "sha256": found.sha256,
                "key": str(known),
            }
        )
        return
    say(
        f"{file.name} is the report {found.report} on {found.scope} that {found.studio} signed on "
        f"{found.made_at:%Y-%m-%d %H:%M} UTC, when its ledger had {found.ledger_size:,} entries."
    )
