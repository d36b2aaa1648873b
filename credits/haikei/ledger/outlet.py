"""
Outlets: places that keep checkpoints out of our reach, and the sending of checkpoints to them.

A drop folder, such as on a client's share, takes each checkpoint as a file that is written once.
Mail goes to people outside the studio.
"""

import contextlib
import hashlib
import os
import re
import secrets
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Protocol

import structlog
from sqlalchemy import Engine, delete, insert, select
from typing_extensions import override

from haikei.database import ledger_checkpoints, ledger_sendings, reading, utc_now
from haikei.errors import HistoryChanged, LedgerError, OutletUnavailable, SettingsError
from haikei.ledger.checkpoint import SignedCheckpoint, checkpoints
from haikei.settings import Mail


class Outlet(Protocol):
    """A way out of the building for checkpoints."""

    @property
    def name(self) -> str:
        """What it is called in the table of sendings: the same from start to start."""
        ...

    def send(self, checkpoints: Sequence[SignedCheckpoint]) -> None:
        """
        Send checkpoints, the smallest first; those that are there already stay as they are.

        Raises:
            HistoryChanged: another checkpoint of the same size is there already.
            OutletUnavailable: it cannot be reached, or refuses.
        """
        ...

    def held(self) -> Sequence[int]:
        """
        Return the sizes of the checkpoints that can be read back from here; most ways have none.

        Raises:
            OutletUnavailable: it cannot be reached.
        """
        ...

    def read(self, size: int) -> str:
        """
        Return a checkpoint that is held there, as the note that it is.

        Raises:
            OutletUnavailable: it cannot be read.
        """
        ...


log = structlog.get_logger()

#: Checkpoints that could not be sent for so long are left to the newer ones, which cover them.
KEPT_TRYING = timedelta(days=31)


def send_out(database: Engine, outlets: Sequence[Outlet]) -> bool:
    """Send what each outlet lacks; tell whether every one has everything now."""
    sent = [_send(database, outlet) for outlet in outlets]
    return all(sent)


def _send(database: Engine, outlet: Outlet) -> bool:
    waiting = _waiting(database, outlet.name)
    if not waiting:
        return True
    sizes = [one.checkpoint.size for one in waiting]
    problem = _problem(outlet, waiting)
    _note(database, outlet.name, sizes, error="" if problem is None else str(problem))
    if problem is None:
        for size in sizes:
            log.info("checkpoint_sent", outlet=outlet.name, size=size)
        return True
    event = "checkpoint_not_sent" if problem.transient else "checkpoint_conflict"
    log.error(event, outlet=outlet.name, sizes=sizes, error=str(problem))
    return False


def _problem(outlet: Outlet, waiting: Sequence[SignedCheckpoint]) -> LedgerError | None:
    try:
        outlet.send(waiting)
    except (OutletUnavailable, HistoryChanged) as error:
        return error
    return None


def _waiting(database: Engine, outlet: str) -> list[SignedCheckpoint]:
    sent = select(ledger_sendings.c.size).where(
        ledger_sendings.c.outlet == outlet, ledger_sendings.c.sent_at.is_not(None)
    )
    query = select(ledger_checkpoints.c.size).where(
        ledger_checkpoints.c.size.not_in(sent),
        ledger_checkpoints.c.made_at > utc_now() - KEPT_TRYING,
    )
    with reading(database) as connection:
        wanted = set(connection.execute(query).scalars())
        if not wanted:
            return []
        return [one for one in checkpoints(connection) if one.checkpoint.size in wanted]


def _note(database: Engine, outlet: str, sizes: Sequence[int], *, error: str) -> None:
    sent_at = None if error else utc_now()
    with database.begin() as connection:
        connection.execute(
            delete(ledger_sendings).where(
                ledger_sendings.c.outlet == outlet, ledger_sendings.c.size.in_(sizes)
            )
        )
        connection.execute(
            insert(ledger_sendings),
            [
                {"size": size, "outlet": outlet, "sent_at": sent_at, "error": error}
                for size in sizes
            ],
        )


_NAME = re.compile(r"checkpoint-(0|[1-9][0-9]{0,18})\.txt")
_LONGEST = 180  #: characters of a path that stand in the name as they are
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DropFolder(Outlet):
    """A folder outside, which must be there: an empty mount point is not filled."""

    folder: Path

    @property
    @override
    def name(self) -> str:
        path = self.folder.as_posix()
        if len(path) > _LONGEST:
            path = f"…{hashlib.sha256(path.encode()).hexdigest()}"
        return f"drop:{path}"

    @override
    def send(self, checkpoints: Sequence[SignedCheckpoint]) -> None:
        try:
            self.held()
            for one in checkpoints:
                name = f"checkpoint-{one.checkpoint.size}"
                self._put(self.folder / f"{name}.txt", one.note.encode())
                if one.token is not None:
                    self._put(self.folder / f"{name}.tsr", one.token)
        except OSError as error:
            raise self._away(error) from error

    @override
    def held(self) -> Sequence[int]:
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError as error:
            raise self._away(error) from error
        return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))

    @override
    def read(self, size: int) -> str:
        try:
            return _read(self.folder / f"checkpoint-{size}.txt").decode(errors="replace")
        except OSError as error:
            raise self._away(error) from error

    def _put(self, path: Path, content: bytes) -> None:
        if path.exists():
            if _read(path) != content:
                raise HistoryChanged(
                    f"{path} is another one than ours of the same size.",
                    advice="Keep both files, and find out who wrote it: docs/reference/ledger.md.",
                )
            return
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o444)
            _name_once(temporary, path, content)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _away(self, error: OSError) -> OutletUnavailable:
        return OutletUnavailable(
            f"The drop folder {self.folder} cannot be used: {error}.",
            advice="Mount it, or make it, and let the worker's user write there.",
        )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def _name_once(temporary: Path, path: Path, content: bytes) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # Shares without hard links: the name is taken first, and cannot be taken twice.
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


_TIMEOUT = 30.0
_TEXT = """\
This is the newest signed checkpoint of the ledger {origin}: {size} entries.
Please keep this mail. It shows later that nothing which the ledger held today was changed.
Nobody needs to answer.

{note}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOutlet(Outlet):
    """
    Mails new checkpoints, all of one round in one mail.

    Raises:
        SettingsError: addresses are missing, or a password would be sent in the clear.
    """

    mail: Mail

    def __post_init__(self) -> None:
        """Check what cannot be checked field by field."""
        if not self.mail.sender or not self.mail.to:
            raise SettingsError(
                "ledger.mail has a host, but no sender or nobody to write to.",
                advice="Set ledger.mail.sender and ledger.mail.to, or empty ledger.mail.host.",
            )
        check_protected(self.mail)

    @property
    @override
    def name(self) -> str:
        return f"mail:{self.mail.host}"[:200]

    @override
    def send(self, checkpoints: Sequence[SignedCheckpoint]) -> None:
        if not checkpoints:
            return
        message = self._message(checkpoints)
        try:
            with connect(self.mail) as server:
                refused = server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise OutletUnavailable(
                f"The mail server {self.mail.host} did not take the checkpoint: {error}.",
                advice="Check the settings below ledger.mail; it is tried again.",
            ) from error
        if refused:
            raise OutletUnavailable(
                f"The mail server {self.mail.host} refused {', '.join(sorted(refused))}.",
                advice="Check the addresses in ledger.mail.to.",
            )

    @override
    def held(self) -> Sequence[int]:
        return ()

    @override
    def read(self, size: int) -> str:
        raise OutletUnavailable("Mails that were sent cannot be read back.")

    def _message(self, checkpoints: Sequence[SignedCheckpoint]) -> EmailMessage:
        newest = checkpoints[-1]
        checkpoint = newest.checkpoint
        message = EmailMessage()
        message["From"] = self.mail.sender
        message["To"] = ", ".join(self.mail.to)
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(domain=self.mail.sender.rpartition("@")[2] or None)
        message["Subject"] = f"Ledger checkpoint {checkpoint.origin} {checkpoint.size}"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            _TEXT.format(origin=checkpoint.origin, size=checkpoint.size, note=newest.note)
        )
        for one in checkpoints:
            name = f"checkpoint-{one.checkpoint.size}"
            # As bytes: mail servers may change the line ends of texts.
            message.add_attachment(
                one.note.encode(),
                maintype="application",
                subtype="octet-stream",
                filename=f"{name}.txt",
            )
            if one.token is not None:
                message.add_attachment(
                    one.token,
                    maintype="application",
                    subtype="timestamp-reply",
                    filename=f"{name}.tsr",
                )
        return message


def check_protected(mail: Mail) -> None:
    """
    Check that no password would be sent in the clear.

    Raises:
        SettingsError: it would.
    """
    if mail.user and mail.security == "none":
        raise SettingsError(
            "ledger.mail would send its password over a connection that is not protected.",
            advice="Set ledger.mail.security to starttls or tls.",
        )


def connect(mail: Mail, *, timeout: float = _TIMEOUT) -> smtplib.SMTP:
    """
    Return a connection to the mail server, protected and signed in as the settings say.

    Args:
        mail: the server.
        timeout: seconds for which each of its answers is waited for.

    Raises:
        OSError: it cannot be reached, or is not who it should be.
        smtplib.SMTPException: it refuses.
    """
    context = ssl.create_default_context()
    if mail.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            mail.host, mail.port, timeout=timeout, context=context
        )
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=timeout)
    try:
        if mail.security == "starttls":
            server.starttls(context=context)
        if mail.user:
            password = mail.password.get_secret_value() if mail.password else ""
            server.login(mail.user, password)
    except BaseException:
        server.close()
        raise
    return server
