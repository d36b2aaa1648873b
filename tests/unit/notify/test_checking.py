"""The doctor finds out whether people can be told, tells them nothing, and says no secret."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from haikei.checkup import Finding
from haikei.notify import check_notifications, notifier
from haikei.settings import Settings
from support.certificates import loopback_server
from support.jobs import studio_settings
from support.servers import (
    Mailbox,
    WebhookReceiver,
    closed_port,
    mail_server,
    webhook_receiver,
)

PASSWORD = "geheim-8472"
HOOK = "T024-very-secret"


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    context, trusted = loopback_server(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with mail_server(context) as running:
        yield running


@pytest.fixture
def chat() -> Iterator[WebhookReceiver]:
    with webhook_receiver() as running:
        yield running


def by_mail(folder: Path, port: int, **mail: object) -> Settings:
    """Return settings by which somebody is told by mail."""
    given = {
        "host": "127.0.0.1",
        "port": port,
        "sender": "haikei@studio.example",
        "user": "haikei",
        "password": PASSWORD,
        **mail,
    }
    return studio_settings(
        folder, ledger={"mail": given}, notifications={"mail_to": ["lead@studio.example"]}
    )


def by_chat(folder: Path, address: str) -> Settings:
    """Return settings by which somebody is told by chat."""
    return studio_settings(folder, notifications={"chat_url": address})


def only(settings: Settings) -> Finding:
    """Return the one finding, in which no secret stands."""
    (found,) = check_notifications(settings)
    assert PASSWORD not in repr(found)
    assert HOOK not in repr(found)
    assert found.ok or found.advice
    return found


@pytest.mark.parametrize("told", [{}, {"on": [], "mail_to": ["lead@studio.example"]}])
def test_where_nobody_is_told_one_line_says_so(tmp_path: Path, told: dict[str, object]) -> None:
    found = only(studio_settings(tmp_path, notifications=told))

    assert found.ok
    assert "Nobody is told" in found.message


def test_a_mail_server_is_signed_in_to_and_sent_nothing(tmp_path: Path, mailbox: Mailbox) -> None:
    found = only(by_mail(tmp_path, mailbox.port))

    assert found.ok, found
    assert "STARTTLS, signed in as haikei" in found.message
    assert mailbox.users == [f"haikei:{PASSWORD}"]
    assert mailbox.messages == []


def test_a_mail_server_that_lets_nobody_in_is_told_without_what_it_says(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    mailbox.denying = True
    found = only(by_mail(tmp_path, mailbox.port))

    assert not found.ok
    assert "does not let haikei in (535)" in found.message
    assert "HAIKEI_LEDGER__MAIL__PASSWORD" in found.advice


def test_a_mail_server_that_nobody_vouches_for_gets_no_password(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "others").mkdir()
    _, others = loopback_server(tmp_path / "others")
    monkeypatch.setenv("SSL_CERT_FILE", str(others))
    found = only(by_mail(tmp_path, mailbox.port))

    assert not found.ok
    assert "certificate is not trusted" in found.message
    assert mailbox.users == []


def test_a_mail_server_that_is_away_or_not_fully_named_is_one_clear_line(tmp_path: Path) -> None:
    with closed_port() as port:
        away = only(by_mail(tmp_path, port))
    unprotected = only(by_mail(tmp_path, 25, security="none"))
    nameless = only(by_mail(tmp_path, 25, host=""))

    assert not away.ok
    assert "cannot be used" in away.message
    assert "not protected" in unprotected.message
    assert "no mail server" in nameless.message


def test_a_server_that_says_nothing_is_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = int(silent.getsockname()[1])
        mail = only(by_mail(tmp_path, port))
        chat = only(by_chat(tmp_path, f"http://127.0.0.1:{port}/hooks/{HOOK}"))

    assert not mail.ok
    assert not chat.ok


def test_of_a_chat_only_the_host_is_asked(tmp_path: Path, chat: WebhookReceiver) -> None:
    # It answers HEAD with "not implemented": that it answers is enough.
    found = only(by_chat(tmp_path, f"{chat.url}/hooks/{HOOK}"))

    assert found.ok, found
    assert "127.0.0.1 answers; nothing was posted." in found.message
    assert chat.heard.empty()


@pytest.mark.parametrize(
    "address", [f"http://chat.example/{HOOK}", HOOK, f"https:///{HOOK}", f"https://[{HOOK}"]
)
def test_a_chats_address_that_is_none_or_in_the_clear_is_told(tmp_path: Path, address: str) -> None:
    found = only(by_chat(tmp_path, address))

    assert not found.ok
    assert "HAIKEI_NOTIFICATIONS__CHAT_URL" in found.advice


def test_a_chat_that_is_away_is_told(tmp_path: Path) -> None:
    with closed_port() as port:
        found = only(by_chat(tmp_path, f"http://127.0.0.1:{port}/hooks/{HOOK}"))

    assert not found.ok
    assert "gives no answer" in found.message
