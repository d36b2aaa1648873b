"""Checkpoints leave the building: into folders that are written once, and by mail."""

import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from haikei.database import ledger_sendings, reading
from haikei.errors import HistoryChanged, OutletUnavailable, ProofInvalid, SettingsError
from haikei.ledger import checkpoints, open_checkpoint, seal, send_out, stamp_missing
from haikei.ledger.outlet import DropFolder, MailOutlet
from haikei.ledger.signing import TimeStamper, time_stamper
from haikei.settings import Mail
from support.certificates import Authority, loopback_server, time_stamp_authority
from support.jobs import studio_settings
from support.records import LedgerStudio
from support.servers import Mailbox, mail_server


def seal_more(studio: LedgerStudio, count: int = 1) -> None:
    studio.add(count)
    seal(studio.database, studio.signer)


def sendings(studio: LedgerStudio) -> dict[int, str]:
    """Return the errors of all sendings, by size; empty where one was sent."""
    with reading(studio.database) as connection:
        rows = connection.execute(select(ledger_sendings)).all()
    assert all((row.sent_at is None) == bool(row.error) for row in rows)
    return {row.size: row.error for row in rows}


def test_each_checkpoint_is_a_file_that_is_written_once(studio: LedgerStudio) -> None:
    seal_more(studio)
    seal_more(studio)

    assert send_out(studio.database, [studio.drop])

    files = sorted(studio.drop.folder.iterdir())
    assert [path.name for path in files] == ["checkpoint-1.txt", "checkpoint-2.txt"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o444 for path in files)
    assert open_checkpoint(files[1].read_text("utf-8"), studio.signer.key).size == 2
    assert studio.drop.held() == [1, 2]
    assert sendings(studio) == {1: "", 2: ""}


def test_another_file_of_that_name_is_an_alarm_and_is_not_overwritten(
    studio: LedgerStudio,
) -> None:
    seal_more(studio)
    there = studio.drop.folder / "checkpoint-1.txt"
    there.write_text("somebody else's")

    with capture_logs() as lines:
        assert not send_out(studio.database, [studio.drop])

    assert there.read_text() == "somebody else's"
    assert [line["event"] for line in lines] == ["checkpoint_conflict"]
    assert "another one than ours" in sendings(studio)[1]
    with reading(studio.database) as connection, pytest.raises(HistoryChanged):
        studio.drop.send(checkpoints(connection))


def test_what_could_not_be_sent_is_sent_when_the_share_is_back(
    studio: LedgerStudio, tmp_path: Path
) -> None:
    away = studio.drop.folder.rename(tmp_path / "away")
    for _ in range(2):
        seal_more(studio)
        with capture_logs() as lines:
            assert not send_out(studio.database, [studio.drop])
        assert {line["event"] for line in lines} == {"checkpoint_not_sent"}
    assert all("cannot be used" in error for error in sendings(studio).values())
    assert not studio.drop.folder.exists()

    away.rename(studio.drop.folder)

    assert send_out(studio.database, [studio.drop])
    assert studio.drop.held() == [1, 2]
    assert sendings(studio) == {1: "", 2: ""}


def test_a_share_without_hard_links_is_written_once_as_well(
    studio: LedgerStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(_: Path, target: Path) -> None:
        del target
        raise PermissionError("no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    seal_more(studio)

    assert send_out(studio.database, [studio.drop])

    (file,) = studio.drop.folder.iterdir()
    assert open_checkpoint(file.read_text("utf-8"), studio.signer.key).size == 1


def test_folders_with_long_names_can_be_told_apart() -> None:
    first, second = (DropFolder(folder=Path("/" + "x" * 300 + end)) for end in ("a", "b"))

    assert first.name != second.name
    assert len(first.name) <= 200


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    context, trusted = loopback_server(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return context


@pytest.fixture
def server(certificate: ssl.SSLContext) -> Iterator[Mailbox]:
    with mail_server(certificate) as mailbox:
        yield mailbox


def mail(server: Mailbox, **changes: object) -> MailOutlet:
    given: dict[str, object] = {
        "host": "127.0.0.1",
        "port": server.port,
        "sender": "haikei@studio.example",
        "to": ("guild@elsewhere.example", "client@elsewhere.example"),
        **changes,
    }
    return MailOutlet(mail=Mail.model_validate(given))


def test_checkpoints_are_mailed_over_a_protected_connection(
    studio: LedgerStudio, server: Mailbox
) -> None:
    seal_more(studio)
    seal_more(studio)
    outlet = mail(server, user="haikei", password="secret word")

    assert send_out(studio.database, [outlet])

    (message,) = server.messages
    assert server.protected == [True]
    assert server.users == ["haikei:secret word"]
    assert message["Subject"] == "Ledger checkpoint test-studio/haikei 2"
    assert message["To"] == "guild@elsewhere.example, client@elsewhere.example"
    attached = {str(part.get_filename()): part.get_content() for part in message.iter_attachments()}
    assert sorted(attached) == ["checkpoint-1.txt", "checkpoint-2.txt"]
    note = attached["checkpoint-2.txt"].decode()
    assert open_checkpoint(note, studio.signer.key).size == 2
    body = message.get_body()
    assert body is not None
    assert note.splitlines() == body.get_content().splitlines()[-5:]
    assert send_out(studio.database, [outlet])
    assert len(server.messages) == 1


def test_mail_to_a_server_that_nobody_vouches_for_is_not_sent(
    studio: LedgerStudio, server: Mailbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "others.pem").write_text(Authority.make("Others").root_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "others.pem"))
    seal_more(studio)

    with capture_logs():
        assert not send_out(studio.database, [mail(server)])

    assert "certificate verify failed" in sendings(studio)[1].lower()
    assert server.messages == []


def test_a_server_without_starttls_gets_no_password(studio: LedgerStudio) -> None:
    seal_more(studio)
    with mail_server() as bare, capture_logs():
        assert not send_out(studio.database, [mail(bare, user="haikei", password="secret word")])

        assert bare.users == []
        assert "STARTTLS" in sendings(studio)[1]
        assert "secret word" not in sendings(studio)[1]


def test_a_server_that_refuses_is_tried_again(studio: LedgerStudio) -> None:
    seal_more(studio)
    with mail_server() as server:
        server.refusing = True
        outlet = mail(server, security="none")
        with capture_logs():
            assert not send_out(studio.database, [outlet])
        assert "nobody of that name" in sendings(studio)[1]

        server.refusing = False

        assert send_out(studio.database, [outlet])
        assert len(server.messages) == 1


def test_mail_settings_that_cannot_work_are_refused(studio: LedgerStudio) -> None:
    with pytest.raises(SettingsError, match="sender"):
        MailOutlet(mail=Mail(host="mail.example"))
    with pytest.raises(SettingsError, match="password"):
        mail(Mailbox(port=25), user="haikei", security="none")
    seal_more(studio)
    with reading(studio.database) as connection, pytest.raises(OutletUnavailable, match="take"):
        mail(Mailbox(port=9), security="none").send(checkpoints(connection))


def test_a_time_stamp_token_is_asked_for_checked_and_kept(
    studio: LedgerStudio, tmp_path: Path
) -> None:
    authority = Authority.make("Time")
    (tmp_path / "root.pem").write_text(authority.root_pem)
    (tmp_path / "tsa").mkdir()
    seal_more(studio)
    assert send_out(studio.database, [studio.drop])
    with time_stamp_authority(tmp_path / "tsa", authority) as url:
        settings = studio_settings(
            tmp_path,
            signing={"timestamp_url": url, "timestamp_trust_file": str(tmp_path / "root.pem")},
        )
        stamper = time_stamper(settings)
        assert stamper is not None
        assert stamp_missing(studio.database, stamper) == 1
        assert stamp_missing(studio.database, stamper) == 0

        with reading(studio.database) as connection:
            (made,) = checkpoints(connection)
        assert made.token is not None
        assert stamper.check(made.token, made.note).tzinfo is not None
        with pytest.raises(ProofInvalid, match="does not verify"):
            stamper.check(made.token, made.note + " ")
        with pytest.raises(ProofInvalid, match="does not verify"):
            stamper.check(made.token[:-1] + b"\0", made.note)

        # It came after its checkpoint had been sent, and follows it.
        assert send_out(studio.database, [studio.drop])
        assert (studio.drop.folder / "checkpoint-1.tsr").read_bytes() == made.token


def test_a_token_that_another_authority_signed_is_not_kept(
    studio: LedgerStudio, tmp_path: Path
) -> None:
    (tmp_path / "tsa").mkdir()
    seal_more(studio)
    with time_stamp_authority(tmp_path / "tsa", Authority.make("Time")) as url:
        stamper = TimeStamper(url=url, trust=Authority.make("Others").root_pem.encode())
        with pytest.raises(ProofInvalid, match="does not verify"):
            stamp_missing(studio.database, stamper)

    with reading(studio.database) as connection:
        assert checkpoints(connection)[0].token is None


def test_an_authority_that_is_away_leaves_the_checkpoint_without_a_token(
    studio: LedgerStudio,
) -> None:
    seal_more(studio)
    stamper = TimeStamper(url="http://127.0.0.1:9", trust=Authority.make().root_pem.encode())

    with pytest.raises(OutletUnavailable, match="gives no token"):
        stamp_missing(studio.database, stamper)

    with reading(studio.database) as connection:
        assert checkpoints(connection)[0].token is None


def test_tokens_need_a_root_to_be_checked_against(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9"
    (tmp_path / "empty.pem").write_text("nothing")

    assert time_stamper(studio_settings(tmp_path)) is None
    with pytest.raises(SettingsError, match="nothing to check"):
        time_stamper(studio_settings(tmp_path, signing={"timestamp_url": url}))
    for name in ("none.pem", "empty.pem"):
        path = str(tmp_path / name)
        given = {"timestamp_url": url, "timestamp_trust_file": path}
        with pytest.raises(SettingsError, match="cannot be read"):
            time_stamper(studio_settings(tmp_path, signing=given))
