"""People are told by mail and chat: once, together, not too often, and whatever fails."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, update
from structlog.testing import capture_logs
from typing_extensions import override

from haikei.credits import records
from haikei.database import jobs, utc_now
from haikei.decisions import ReviewState
from haikei.errors import NotificationUnsent, SettingsError
from haikei.jobs import JobState, add_job, job_row, touch_up_row
from haikei.notify import Channel, Message, Notice, NoticeKind, Notifier, note
from haikei.notify.channel import ChatChannel
from haikei.settings import Settings
from support.jobs import SAKURA, Killed, studio_database, studio_settings, touch_up_event
from support.servers import Mailbox, WebhookReceiver, mail_server, webhook_receiver
from support.studio import ReviewStudio, make_version
from support.trackers import MemoryReview

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = timedelta(minutes=6)
ALL = ("dead", "question", "checkpoint", "ready")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture
def chat() -> Iterator[WebhookReceiver]:
    with webhook_receiver() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, mailbox: Mailbox, chat: WebhookReceiver) -> Settings:
    return studio_settings(
        tmp_path,
        ledger={
            "mail": {
                "host": "127.0.0.1",
                "port": mailbox.port,
                "sender": "haikei@studio.example",
                "security": "none",
            }
        },
        notifications={
            "mail_to": ["lead@studio.example"],
            "chat_url": f"{chat.url}/hooks/very-secret",
            "on": ALL,
        },
    )


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    opened = studio_database(settings)
    yield opened
    opened.dispose()


def tell(database: Engine, *texts: str, at: datetime = NOON) -> None:
    """Note questions."""
    with database.begin() as connection:
        for text in texts:
            note(connection, Notice(key=text, kind=NoticeKind.QUESTION, text=text), at=at)


def chatted(chat: WebhookReceiver) -> list[str]:
    """Return what the chat was told since the last time."""
    return [json.loads(chat.heard.get().body)["text"] for _ in range(chat.heard.qsize())]


def mailed(mailbox: Mailbox) -> list[str]:
    """Return the texts of all mails."""
    bodies = [message.get_body() for message in mailbox.messages]
    return [body.get_content() for body in bodies if body is not None]


@dataclass(slots=True)
class MemoryChannel(Channel):
    """Keeps messages; what `after` raises is raised when a message has gone out."""

    messages: list[Message] = field(default_factory=list[Message])
    after: BaseException | None = None

    @property
    @override
    def name(self) -> str:
        return "memory"

    @override
    def send(self, message: Message) -> None:
        self.messages.append(message)
        if self.after is not None:
            raise self.after


def test_what_happened_is_told_together_by_every_way(
    settings: Settings, database: Engine, mailbox: Mailbox, chat: WebhookReceiver
) -> None:
    desk = MemoryReview()
    with database.begin() as connection:
        ready = make_version(connection, desk, 1)
        dead = make_version(connection, desk, 2, shot="c002")
        connection.execute(
            update(jobs)
            .where(jobs.c.key == dead.key)
            .values(state=JobState.DEAD.value, error="The layout is truncated.")
        )
        records.decide(connection, dead.key, ReviewState.OMITTED)
    tell(database, "Shall an artist take over?")
    notifier = Notifier(settings, database)

    assert notifier.tick(NOON) == 0
    assert notifier.tick(NOON + LATER) == 2

    (message,) = mailbox.messages
    assert message["To"] == "lead@studio.example"
    assert message["Subject"] == (
        "Haikei, Test Studio: 1 job failed, 1 question, 1 version in review"
    )
    (mail,), (said,) = mailed(mailbox), chatted(chat)
    for text in (mail, said):
        assert "akane/ep01/c002, summer day: The layout is truncated." in text.replace("\r", "")
        assert "- Shall an artist take over?" in text
        assert "c001_bg_summer_day_v001 https://tracker.test/detail/Version/1" in text
        assert ready.key not in text


def let_a_touch_up_wait(database: Engine, file: Path) -> None:
    """Let a touch-up be one about which people were asked in a Note."""
    file.write_bytes(b"painted")
    event = touch_up_event(file, artist=SAKURA)
    text = "PORT/s01/c001: mine.png by Sakura Ito: What was it painted over?"
    url = "https://tracker.test/detail/Note/7"
    with database.begin() as connection:
        add_job(connection, touch_up_row(event, 10, NOON))
        connection.execute(
            update(jobs)
            .where(jobs.c.key == event.key)
            .values(
                state=JobState.DEAD.value,
                error="Nothing tells which version it is painted over.",
                error_kind="ParentUnknown",
            )
        )
        asked = Notice(key="touch-up/1", kind=NoticeKind.TOUCH_UP, text=text, url=url)
        note(connection, asked, at=NOON)


def test_a_touch_up_that_waits_is_told_as_a_question_and_as_no_failure(
    settings: Settings, database: Engine, tmp_path: Path, chat: WebhookReceiver
) -> None:
    let_a_touch_up_wait(database, tmp_path / "mine.png")
    notifier = Notifier(settings, database)
    for minutes in range(0, 60, 6):
        notifier.tick(NOON + timedelta(minutes=minutes))

    (said,) = chatted(chat)
    assert said == (
        "Haikei, Test Studio: 1 touch-up waits for an answer\n\n"
        "1 touch-up waits for an answer:\n"
        "- PORT/s01/c001: mine.png by Sakura Ito: What was it painted over? "
        "https://tracker.test/detail/Note/7"
    )


@pytest.mark.parametrize(("on", "told"), [(("dead", "ready"), 0), (("question",), 1)])
def test_who_hears_of_questions_hears_of_touch_ups_that_wait(
    settings: Settings, database: Engine, tmp_path: Path, on: tuple[str, ...], told: int
) -> None:
    let_a_touch_up_wait(database, tmp_path / "mine.png")
    notifications = settings.notifications.model_copy(update={"on": on})
    channel = MemoryChannel()
    notifier = Notifier(
        settings.model_copy(update={"notifications": notifications}), database, channels=[channel]
    )
    for now in (NOON, NOON + LATER):
        notifier.tick(now)

    assert len(channel.messages) == told


def test_a_dead_letter_that_healed_before_it_was_told_alarms_nobody(
    settings: Settings, database: Engine
) -> None:
    channel = MemoryChannel()
    notifier = Notifier(settings, database, channels=(channel,))
    with database.begin() as connection:
        add_job(connection, touch_up_row(touch_up_event(Path(__file__), artist=SAKURA), 10, NOON))
        connection.execute(update(jobs).values(state="dead", error="It is not there any more."))
    notifier.tick(NOON)
    with database.begin() as connection:
        connection.execute(update(jobs).values(state="skipped", error_kind="Superseded"))

    assert notifier.tick(NOON + LATER) == 0
    with database.begin() as connection:
        connection.execute(update(jobs).values(state="dead", run=2, error_kind=""))
    notifier.tick(NOON + 2 * LATER)
    assert notifier.tick(NOON + 3 * LATER) == 1
    assert len(channel.messages) == 1


def test_nothing_is_told_twice(
    settings: Settings, database: Engine, mailbox: Mailbox, chat: WebhookReceiver
) -> None:
    tell(database, "one")
    tell(database, "one", at=NOON + LATER)

    for minutes in range(0, 60, 3):
        Notifier(settings, database).tick(NOON + timedelta(minutes=minutes))

    assert len(mailbox.messages) == 1
    assert len(chatted(chat)) == 1


def test_a_job_that_died_again_is_told_again(settings: Settings, database: Engine) -> None:
    channel = MemoryChannel()
    notifier = Notifier(settings, database, channels=[channel])
    with database.begin() as connection:
        order = make_version(connection, MemoryReview(), 1)
        records.decide(connection, order.key, ReviewState.OMITTED)
    for run in (1, 2):
        with database.begin() as connection:
            connection.execute(update(jobs).values(state="dead", run=run, error=f"Run {run}."))
        for minutes in (0, 10, 20):
            notifier.tick(NOON + timedelta(hours=run, minutes=minutes))

    assert [message.subject for message in channel.messages] == [
        "Haikei, Test Studio: 1 job failed"
    ] * 2
    assert "Run 2." in channel.messages[1].text


def test_one_message_goes_out_in_the_time_that_the_studio_gave(
    settings: Settings, database: Engine
) -> None:
    channel = MemoryChannel()
    notifier = Notifier(settings, database, channels=[channel])
    sent: list[datetime] = []
    for seconds in range(0, 3600, 40):
        now = NOON + timedelta(seconds=seconds)
        tell(database, f"question {seconds}", at=now)
        if notifier.tick(now):
            sent.append(now)

    pauses = [after - before for before, after in pairwise(sent)]
    assert len(sent) >= 8
    assert min(pauses) >= timedelta(seconds=300)
    told = "".join(message.text for message in channel.messages)
    assert "- question 0\n" in told


def test_long_lists_are_shortened(settings: Settings, database: Engine) -> None:
    channel = MemoryChannel()
    tell(database, *(f"question {number:02}" for number in range(47)), "x" * 1000)

    Notifier(settings, database, channels=[channel]).tick(NOON + LATER)

    (message,) = channel.messages
    assert message.subject.endswith("48 questions")
    assert "- question 09\nand 38 more" in message.text
    assert "question 10" not in message.text


def test_only_what_the_studio_wants_to_hear_is_told(settings: Settings, database: Engine) -> None:
    channel = MemoryChannel()
    wanted = settings.model_copy(
        update={"notifications": settings.notifications.model_copy(update={"on": ("dead",)})}
    )
    tell(database, "a question")

    assert Notifier(wanted, database, channels=[channel]).tick(NOON + LATER) == 0
    assert Notifier(settings, database, channels=[channel]).tick(NOON + LATER) == 1


def test_a_chat_that_is_away_gets_it_later_and_the_mail_goes_out_once(
    settings: Settings, database: Engine, mailbox: Mailbox, chat: WebhookReceiver
) -> None:
    chat.status = 503
    tell(database, "a question")
    tried: list[datetime] = []
    with capture_logs() as lines:
        for minutes in range(6, 200, 2):
            now = NOON + timedelta(minutes=minutes)
            Notifier(settings, database).tick(now)
            tried += [now] * len(chatted(chat))

    pauses = [after - before for before, after in pairwise(tried)]
    assert len(mailbox.messages) == 1
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=1)
    assert "HTTP 503" in str([line for line in lines if line["log_level"] == "warning"])

    chat.status = 200
    assert Notifier(settings, database).tick(NOON + timedelta(hours=5)) == 1
    (said,) = chatted(chat)
    assert "a question" in said


def test_a_mail_server_that_refuses_is_tried_again(
    settings: Settings, database: Engine, mailbox: Mailbox, chat: WebhookReceiver
) -> None:
    mailbox.refusing = True
    tell(database, "a question")
    notifier = Notifier(settings, database)
    with capture_logs():
        assert notifier.tick(NOON + LATER) == 1
    mailbox.refusing = False
    tell(database, "another", at=NOON + LATER)

    notifier.tick(NOON + timedelta(minutes=20))

    (text,) = mailed(mailbox)
    assert "a question" in text
    assert "another" in text
    assert ["another" in said for said in chatted(chat)] == [False, True]


def test_a_chat_that_names_a_time_is_left_alone_until_then(
    settings: Settings, database: Engine, chat: WebhookReceiver
) -> None:
    chat.status, chat.headers = 429, {"Retry-After": "1800"}
    tell(database, "a question")
    with capture_logs():
        Notifier(settings, database).tick(NOON + LATER)
    chat.status, chat.headers = 200, {}
    chatted(chat)

    Notifier(settings, database).tick(NOON + timedelta(minutes=35))
    assert chatted(chat) == []
    Notifier(settings, database).tick(NOON + timedelta(minutes=37))
    assert len(chatted(chat)) == 1


def test_a_process_that_dies_when_a_message_is_out_tells_it_again_as_the_same(
    settings: Settings, database: Engine
) -> None:
    channel = MemoryChannel(after=Killed())
    tell(database, "a question")
    with pytest.raises(Killed):
        Notifier(settings, database, channels=[channel]).tick(NOON + LATER)
    channel.after = None

    assert Notifier(settings, database, channels=[channel]).tick(NOON + LATER) == 0
    assert Notifier(settings, database, channels=[channel]).tick(NOON + 2 * LATER) == 1

    first, second = channel.messages
    assert first == second


def test_two_notifiers_at_once_send_one_message(settings: Settings, database: Engine) -> None:
    channel = MemoryChannel()
    tell(database, "a question")
    meet = threading.Barrier(4)

    def work() -> None:
        notifier = Notifier(settings, database, channels=[channel])
        meet.wait()
        notifier.tick(NOON + LATER)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(channel.messages) == 1


def test_the_address_of_a_chat_is_in_no_log_and_no_error(
    settings: Settings, database: Engine, chat: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tell(database, "a question")
    chat.status = 500
    notifier = Notifier(settings, database)
    with capture_logs() as lines:
        notifier.tick(NOON + LATER)
    away = ChatChannel(url=SecretStr("http://127.0.0.1:9/hooks/very-secret"))
    with pytest.raises(NotificationUnsent) as raised:
        away.send(Message(id="1", subject="s", text="t"))

    assert chat.next().path == "/hooks/very-secret"
    for said in (caplog.text, str(lines), str(raised.value), repr(notifier), repr(away)):
        assert "very-secret" not in said
    assert raised.value.__cause__ is None


def test_a_chat_is_not_followed_to_another_address(chat: WebhookReceiver) -> None:
    with webhook_receiver() as elsewhere:
        chat.status, chat.headers = 307, {"Location": f"{elsewhere.url}/stolen"}
        with pytest.raises(NotificationUnsent, match="HTTP 307"):
            ChatChannel(url=SecretStr(chat.url)).send(Message(id="1", subject="s", text="t"))
        assert elsewhere.heard.empty()


@pytest.mark.parametrize(
    "url", ["http://chat.example/hooks/very-secret", "ftp://127.0.0.1/", "very-secret", "http://["]
)
def test_a_chat_without_a_protected_address_is_refused_and_mail_still_goes_out(
    settings: Settings, database: Engine, mailbox: Mailbox, url: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        ChatChannel(url=SecretStr(url))
    assert "very-secret" not in str(raised.value)
    told = settings.notifications.model_copy(update={"chat_url": SecretStr(url)})
    tell(database, "a question")

    with capture_logs() as lines:
        notifier = Notifier(settings.model_copy(update={"notifications": told}), database)
        notifier.tick(NOON + LATER)

    assert len(mailbox.messages) == 1
    assert "notification_channel_unusable" in str(lines)


def test_what_a_file_is_called_calls_nobody_in_the_chat(chat: WebhookReceiver) -> None:
    ChatChannel(url=SecretStr(chat.url)).send(
        Message(id="1", subject="s", text="<!channel> @here <https://a.example|b>")
    )

    (said,) = chatted(chat)
    assert "<" not in said
    assert "@here" not in said


def test_a_name_with_line_breaks_adds_no_header(
    settings: Settings, database: Engine, mailbox: Mailbox
) -> None:
    studio = settings.studio.model_copy(update={"name": "Studio\r\nBcc: all@elsewhere.example"})
    tell(database, "a question")

    Notifier(settings.model_copy(update={"studio": studio}), database).tick(NOON + LATER)

    (message,) = mailbox.messages
    assert message["Bcc"] is None
    assert "\n" not in message["Subject"]


def test_mail_without_a_server_is_said_when_it_starts(tmp_path: Path, database: Engine) -> None:
    settings = studio_settings(tmp_path, notifications={"mail_to": ["lead@studio.example"]})

    with capture_logs() as lines:
        assert Notifier(settings, database).tick(utc_now()) == 0

    assert "ledger.mail.host" in str(lines)


def test_what_nobody_could_be_told_for_a_month_is_left(
    settings: Settings, database: Engine
) -> None:
    channel = MemoryChannel()
    tell(database, "an old question", at=NOON - timedelta(days=40))

    assert Notifier(settings, database, channels=[channel]).tick(NOON) == 0


def test_a_file_that_was_refused_is_told_by_its_path(settings: Settings, database: Engine) -> None:
    channel = MemoryChannel()
    with database.begin() as connection:
        order = make_version(connection, MemoryReview(), 1)
        row = {**job_row(order, NOON), "key": "refused", "project": "", "sequence": "", "shot": ""}
        add_job(
            connection,
            {**row, "season": "", "time": "", "state": "dead", "error": "It is no image."},
        )
    notifier = Notifier(settings, database, channels=[channel])
    notifier.tick(NOON)
    notifier.tick(NOON + LATER)

    assert "/show/c001.png: It is no image." in channel.messages[0].text


def test_a_question_to_a_supervisor_is_told_where_it_was_asked(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path, review={"max_retakes": 1})
    database = studio_database(settings)
    desk, channel = MemoryReview(), MemoryChannel()
    with database.begin() as connection:
        order = make_version(connection, desk, 1)
    review = ReviewStudio(settings=settings, database=database, desk=desk, order=order)
    for version in (1, 2):
        desk.set_status(version, "rtk")
        desk.note(version, "less green")
        review.review()
        if version == 1:
            review.make(review.retakes[0])
    notifier = Notifier(settings, database, channels=[channel])

    notifier.tick(review.clock() + LATER)

    (message,) = channel.messages
    assert "the most that the studio allows" in message.text
    assert message.text.endswith("https://tracker.test/detail/Version/2")
    database.dispose()
