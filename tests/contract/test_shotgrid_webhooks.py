"""Webhooks from setup to delivery, over HTTP against the embedded tracker."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import HttpUrl, SecretStr

from haikei.checkup import Finding
from haikei.errors import TrackerRejected
from haikei.settings import Settings
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from haikei.trackers.shotgrid.webhooks import WebhookClient
from support.clocks import PATIENCE
from support.servers import WebhookReceiver, webhook_receiver
from support.sites import RunningStudio, Show, heeding, running_studio

TOKEN = SecretStr("a token of a webhook")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads="classic") as running:
        yield running


@pytest.fixture
def show(studio: RunningStudio) -> Show:
    return studio.show()


@pytest.fixture
def hearing() -> Iterator[WebhookReceiver]:
    with webhook_receiver() as running:
        yield running


@pytest.fixture
def settings(show: Show, hearing: WebhookReceiver) -> Settings:
    return with_web(show.settings, url=HttpUrl(hearing.url), webhook_token=TOKEN)


def with_web(settings: Settings, **web: object) -> Settings:
    section = settings.web.model_copy(update=web)
    return settings.model_copy(update={"web": section})


def the_one(findings: tuple[Finding, ...]) -> Finding:
    (found,) = (one for one in findings if one.subject == "webhook")
    return found


def set_up(show: Show, settings: Settings, *, dry_run: bool = False) -> Finding:
    tracker = ShotGridTracker(settings, show.key)
    try:
        return the_one(tracker.setup(dry_run=dry_run))
    finally:
        tracker.close()


def check(show: Show, settings: Settings) -> Finding:
    tracker = ShotGridTracker(settings, show.key)
    try:
        return the_one(tracker.check())
    finally:
        tracker.close()


def manage(show: Show, settings: Settings, method: str, **body: object) -> None:
    """Change the webhook as an admin would on the site."""
    with WebhookClient(settings, show.key) as client:
        (hook,) = (one for one in client.hooks() if one.url.startswith(str(settings.web.url)))
    site = str(settings.tracker.url).rstrip("/")
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.tracker.script,
        "client_secret": show.key.get_secret_value(),
    }
    token = httpx.post(f"{site}/api/v1/auth/access_token", data=form, timeout=PATIENCE).json()[
        "access_token"
    ]
    httpx.request(
        method,
        f"{site}/api/v1/webhook/hooks/{hook.id}",
        json=body,
        headers={"authorization": f"Bearer {token}"},
        timeout=PATIENCE,
    ).raise_for_status()


def test_setup_makes_a_webhook_that_tells_of_decisions_and_notes(
    show: Show, settings: Settings, hearing: WebhookReceiver
) -> None:
    finding = set_up(show, settings)
    assert (finding.ok, finding.message) == (True, "Created.")

    version = show.create("Version", code="c001_bg_v001")
    show.sg.update("Version", version, {"sg_status_list": "apr"})
    note = show.create(
        "Note", subject="Sky", note_links=[{"type": "Version", "id": version}], content="Less."
    )
    reply = show.sg.create("Reply", {"entity": {"type": "Note", "id": note}, "content": "More."})

    told: list[tuple[str, int]] = []
    while ("Shotgun_Reply_New", reply["id"]) not in told:
        heard = hearing.next()
        assert heard.path == "/webhooks/shotgrid"
        assert heard.headers["x-sg-signature"].startswith("sha1=")
        told += ((one["event_type"], one["entity"]["id"]) for one in heard.deliveries)
    assert ("Shotgun_Version_Change", version) in told
    assert ("Shotgun_Note_New", note) in told
    assert ("Shotgun_Version_New", version) not in told


def test_setup_makes_it_once(show: Show, settings: Settings) -> None:
    set_up(show, settings)

    assert set_up(show, settings).message == "It stands already."
    with WebhookClient(settings, show.key) as client:
        ours = [one for one in client.hooks() if one.url.startswith(str(settings.web.url))]
    assert len(ours) == 1


def test_a_dry_run_makes_none(show: Show, settings: Settings) -> None:
    finding = set_up(show, settings, dry_run=True)

    assert finding.ok
    assert finding.planned
    assert "would be created" in finding.message
    assert not check(show, settings).ok


@pytest.mark.parametrize(
    ("web", "words"),
    [
        ({"url": None}, "web.url is not set"),
        ({"webhook_token": None}, "HAIKEI_WEB__WEBHOOK_TOKEN is not set"),
    ],
)
def test_what_must_be_set_for_a_webhook_is_said(
    show: Show, settings: Settings, web: dict[str, object], words: str
) -> None:
    changed = with_web(settings, **web)

    for finding in (set_up(show, changed), check(show, changed)):
        assert finding.ok
        assert words in finding.message
        assert "event log is followed" in finding.message


def test_the_check_tells_how_it_stands(show: Show, settings: Settings) -> None:
    assert check(show, settings).advice == "Run `haikei setup`."

    set_up(show, settings)
    assert (check(show, settings).ok, check(show, settings).message) == (True, "It is active.")

    manage(show, settings, "PUT", status="disabled")
    finding = check(show, settings)
    assert not finding.ok
    assert "disabled" in finding.message

    manage(show, settings, "PUT", status="active", entity_types={"Version": {"update": []}})
    finding = check(show, settings)
    assert not finding.ok
    assert "nothing of Note, PublishedFile, Reply" in finding.message


def test_a_site_that_manages_no_webhooks_is_a_finding(show: Show, settings: Settings) -> None:
    tracker = settings.tracker.model_copy(update={"script": "nobody"})
    changed = settings.model_copy(update={"tracker": tracker})
    with (
        WebhookClient(changed, SecretStr("wrong key")) as client,
        pytest.raises(TrackerRejected) as told,
    ):
        client.hooks()

    assert "answered 400" in str(told.value)
    assert "wrong key" not in str(told.value)


def test_a_webhook_is_made_for_the_projects_that_are_named(
    studio: RunningStudio, show: Show, settings: Settings, hearing: WebhookReceiver
) -> None:
    other = studio.show()
    limited = heeding(settings, show.name)
    assert set_up(show, limited).message == "Created."
    assert set_up(show, limited).message == "It stands already."
    assert check(show, limited).message == "It is active."

    theirs = other.create("Note", subject="Sky", content="Less.")
    ours = show.create("Note", subject="Sky", content="Less.")

    told: set[int] = set()
    while ours not in told:
        told |= {one["entity"]["id"] for one in hearing.next().deliveries}
    assert theirs not in told
    # It stands for all projects now, as far as these settings say.
    for finding in (set_up(show, settings), check(show, settings)):
        assert not finding.ok
        assert "Delete it on the site" in finding.advice


def test_no_webhook_is_made_for_projects_that_the_site_does_not_have(
    show: Show, settings: Settings
) -> None:
    limited = heeding(settings, "nowhere")

    for finding in (set_up(show, limited), check(show, limited)):
        assert not finding.ok
    tracker = ShotGridTracker(limited, show.key)
    (told,) = (one for one in tracker.check() if one.subject == "projects")
    tracker.close()
    assert (told.ok, told.message) == (False, "The site has no project nowhere.")
