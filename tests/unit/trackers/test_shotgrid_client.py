"""The client's behaviour towards a site that misbehaves, over a real connection."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from pydantic import HttpUrl, SecretStr

from haikei.errors import LONGEST_ASKED, HaikeiError, TrackerRejected, TrackerUnavailable
from haikei.settings import Tracker
from haikei.trackers.shotgrid.client import CreateRow, SiteClient
from support.clocks import PATIENCE
from support.servers import Answer, ScriptedSite, fault, results, rows, scripted_site

KEY = "s3cr3t-k3y"
SHOT = {"type": "Shot", "id": 7, "code": "c001"}
ROW = CreateRow(type="Shot", fields={"code": "c001"})
#: Seconds after which a client gives up that is not answered; the next answer comes in that time.
IMPATIENT = 2.0


@pytest.fixture
def site() -> Iterator[ScriptedSite]:
    with scripted_site() as running:
        yield running


@pytest.fixture
def timeout() -> float:
    """Return the seconds that `client` waits for an answer; a test of silence asks for less."""
    return PATIENCE


@pytest.fixture
def client(site: ScriptedSite, timeout: float) -> Iterator[SiteClient]:
    made = connect(site.url, timeout=timeout)
    yield made
    made.close()


def connect(url: str, *, timeout: float = PATIENCE) -> SiteClient:
    return SiteClient(Tracker(url=HttpUrl(url), timeout=timeout), SecretStr(KEY))


def find(client: SiteClient) -> object:
    return client.find("Shot", [["code", "is", "c001"]], ["code"])


def write(client: SiteClient) -> object:
    return client.batch([ROW])


def test_a_search_returns_typed_records(site: ScriptedSite, client: SiteClient) -> None:
    site.then(rows({**SHOT, "sg_sequence": {"type": "Sequence", "id": 3, "name": "s1"}}))

    (row,) = client.find("Shot", [["code", "is", "c001"]], ["code", "sg_sequence"])

    assert (row.id, row.text("code")) == (7, "c001")
    link = row.link("sg_sequence")
    assert link is not None
    assert (link.type, link.id, link.name) == ("Sequence", 3, "s1")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_a_read_is_asked_again_after_a_passing_error(
    site: ScriptedSite, client: SiteClient, status: int
) -> None:
    site.then(Answer(status=status), rows(SHOT))

    assert find(client)
    assert site.asked == ["read", "read"]


@pytest.mark.parametrize(
    ("answer", "timeout"), [(Answer(cut=True), PATIENCE), (Answer(silent=True), IMPATIENT)]
)
def test_a_read_is_asked_again_after_no_answer(
    site: ScriptedSite, client: SiteClient, answer: Answer
) -> None:
    site.then(answer, rows(SHOT))

    assert find(client)
    assert len(site.asked) == 2


@pytest.mark.parametrize(
    ("answer", "timeout"),
    [
        (Answer(status=502), PATIENCE),
        (Answer(status=504), PATIENCE),
        (Answer(status=503), PATIENCE),
        (Answer(status=500), PATIENCE),
        (Answer(cut=True), PATIENCE),
        (Answer(silent=True), IMPATIENT),
    ],
    ids=["502", "504", "503", "500", "cut", "silent"],
)
def test_a_write_is_sent_once_whatever_happens(
    site: ScriptedSite, client: SiteClient, answer: Answer
) -> None:
    site.then(answer, results([SHOT]))

    with pytest.raises(TrackerUnavailable):
        write(client)

    assert site.asked == ["batch"]


def test_a_write_on_a_kept_connection_that_was_closed_meanwhile_goes_through(
    site: ScriptedSite, client: SiteClient
) -> None:
    site.then(rows(SHOT), Answer(cut=True), rows(SHOT), results([SHOT]))
    find(client)
    find(client)

    assert write(client)
    assert site.asked == ["read", "read", "read", "batch"]


@pytest.mark.parametrize(
    ("answer", "timeout"),
    [
        (Answer(status=500), PATIENCE),
        (Answer(status=502), PATIENCE),
        (Answer(cut=True), PATIENCE),
        (Answer(silent=True), IMPATIENT),
    ],
    ids=["500", "502", "cut", "silent"],
)
def test_an_upload_is_sent_once_and_in_time(
    site: ScriptedSite, client: SiteClient, tmp_path: Path, answer: Answer
) -> None:
    picture = tmp_path / "review.png"
    picture.write_bytes(b"pixels")
    site.then(answer, Answer(body=b"1:5:review.png\n"))

    with pytest.raises(TrackerUnavailable):
        client.upload("Version", 1, picture, "sg_uploaded_movie")

    assert site.asked == ["/upload/upload_file"]


def test_an_upload_that_the_site_refuses_says_why(
    site: ScriptedSite, client: SiteClient, tmp_path: Path
) -> None:
    picture = tmp_path / "review.png"
    picture.write_bytes(b"pixels")
    site.then(Answer(body=b"0\nThe site has no room.\n"))

    with pytest.raises(TrackerUnavailable, match=r"The site has no room\."):
        client.upload_thumbnail("Version", 1, picture)


def test_an_empty_file_is_not_uploaded(
    site: ScriptedSite, client: SiteClient, tmp_path: Path
) -> None:
    picture = tmp_path / "review.png"
    picture.touch()

    with pytest.raises(TrackerRejected, match="empty file"):
        client.upload_thumbnail("Version", 1, picture)

    assert site.asked == []


def test_an_upload_that_is_accepted_raises_nothing(
    site: ScriptedSite, client: SiteClient, tmp_path: Path
) -> None:
    picture = tmp_path / "review.png"
    picture.write_bytes(b"pixels")
    site.then(Answer(body=b"1:5:review.png\n"))

    client.upload_thumbnail("Version", 1, picture)

    assert site.asked == ["/upload/publish_thumbnail"]


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (fault("Can't authenticate script 'haikei'", 102), TrackerRejected, "sign in"),
        (fault("API create() Version.sg_haikei_key doesn't exist."), TrackerRejected, "setup"),
        (fault("User does not have permission to create"), TrackerRejected, "permission role"),
        (fault("'x' is not a valid status"), TrackerRejected, "review_status"),
        (fault("Path X doesn't match any defined Local Storage."), TrackerRejected, "roots"),
        (Answer(status=403), TrackerRejected, "blocked"),
        (Answer(status=404), TrackerRejected, "root of a ShotGrid site"),
        (Answer(status=503), TrackerUnavailable, "503"),
        (
            Answer(body=b"<html>", headers={"content-type": "text/html"}),
            TrackerUnavailable,
            "something else",
        ),
        (
            Answer(body=b"{oops", headers={"content-type": "application/json"}),
            TrackerUnavailable,
            "something else",
        ),
        (results([]), TrackerUnavailable, "something else"),
    ],
)
def test_what_the_site_answers_becomes_an_error_with_advice(
    site: ScriptedSite,
    client: SiteClient,
    answer: Answer,
    kind: type[HaikeiError],
    words: str,
) -> None:
    site.then(answer)

    with pytest.raises(kind, match=words):
        write(client)


@pytest.mark.parametrize("moment", [False, True])
def test_a_site_that_asks_to_wait_is_quoted(
    site: ScriptedSite, client: SiteClient, *, moment: bool
) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    site.then(Answer(status=503, headers={"retry-after": later if moment else "120"}))

    with pytest.raises(TrackerUnavailable) as caught:
        find(client)

    assert caught.value.retry_after == pytest.approx(120, abs=3)
    assert len(site.asked) == 1


def test_a_short_wait_that_the_site_asks_for_is_kept(
    site: ScriptedSite, client: SiteClient
) -> None:
    site.then(Answer(status=503, headers={"retry-after": "0.01"}), rows(SHOT))

    assert find(client)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("inf", LONGEST_ASKED),
        ("1e999", LONGEST_ASKED),
        ("9" * 400, LONGEST_ASKED),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_ASKED),
        ("-inf", 0.0),
        ("-120", 0.0),
        ("nan", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 999999 23:59:59 GMT", None),
        ("Fri, 31 Dec 2026 23:59:59 +999999999999999999", None),
    ],
)
def test_a_site_that_asks_for_an_absurd_wait_is_asked_again_in_time(
    site: ScriptedSite, client: SiteClient, header: str, seconds: float | None
) -> None:
    site.then(Answer(status=503, headers={"retry-after": header}))

    with pytest.raises(TrackerUnavailable) as caught:
        write(client)

    assert caught.value.retry_after == seconds


def test_an_unknown_retry_after_is_ignored(site: ScriptedSite, client: SiteClient) -> None:
    site.then(Answer(status=503, headers={"retry-after": "soon"}))

    with pytest.raises(TrackerUnavailable) as caught:
        write(client)

    assert caught.value.retry_after is None


@pytest.mark.parametrize("call", [find, write])
def test_a_site_that_is_away_is_unavailable(
    call: Callable[[SiteClient], object], unused_url: str
) -> None:
    with pytest.raises(TrackerUnavailable, match="takes no connections"):
        call(connect(unused_url))


@pytest.fixture
def unused_url() -> str:
    with scripted_site() as gone:
        return gone.url


def test_a_host_that_does_not_exist_is_unavailable() -> None:
    with pytest.raises(TrackerUnavailable, match="cannot be found"):
        write(connect("http://haikei.invalid"))


def test_the_key_is_never_in_an_error(site: ScriptedSite, client: SiteClient) -> None:
    site.then(fault(f"Unknown script_key {KEY} was sent"))

    with pytest.raises(TrackerRejected) as caught:
        write(client)

    assert KEY not in str(caught.value)
    assert "********" in str(caught.value)


def test_a_search_among_nothing_asks_nobody(site: ScriptedSite, client: SiteClient) -> None:
    assert client.find("Shot", [["code", "in", []]], ["code"]) == ()
    assert site.asked == []


def test_an_empty_batch_asks_nobody(site: ScriptedSite, client: SiteClient) -> None:
    assert client.batch([]) == ()
    assert site.asked == []


def test_the_clock_of_the_site_is_read_from_its_answers(
    site: ScriptedSite, client: SiteClient
) -> None:
    site.then(rows())

    find(client)
    reading = client.clock()

    assert reading is not None
    assert abs((reading.ours - reading.site).total_seconds()) < 5
