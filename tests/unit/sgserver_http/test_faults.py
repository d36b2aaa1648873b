"""A site has bad days as rules say them, and an unknown rule is an error with the nearest word."""

import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import shotgun_api3

from haikei.errors import SettingsError
from haikei.sgserver.faults import FaultKind, FaultRule, read_faults, rules_of
from haikei.sgserver.http.hosting import SiteOptions
from haikei.sgserver.testing import SgSite, serving
from support.clocks import eventually, every

HEADERS = {"content-type": "application/json"}


def wire(sg_site: SgSite, method: str, call: object) -> tuple[int, dict[str, str], bytes]:
    """Send one call as the official client would, and return what came, without its retries."""
    where = urlsplit(sg_site.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    auth = {"script_name": sg_site.script_name, "script_key": sg_site.api_key}
    body = json.dumps({"method_name": method, "params": [auth, call]})
    try:
        connection.request("POST", "/api3/json", body, HEADERS)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def make(name: str) -> dict[str, Any]:
    fields = [{"field_name": "name", "value": name}]
    return {"type": "Project", "fields": fields, "return_fields": ["id"]}


def names(sg_site: SgSite) -> list[str]:
    found = sg_site.site.find(sg_site.site.system, "Project", [], ["name"])
    return sorted(str(one["name"]) for one in found)


def rule(kind: FaultKind, **values: Any) -> FaultRule:
    return FaultRule(kind=kind, **values)


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_fails_before_or_after_the_site_has_done_it(
    sg_site: SgSite, when: Any, made: bool, status: int
) -> None:
    sg_site.faults.hold([rule(FaultKind.ERROR, on="create", times=1, status=status, when=when)])

    assert wire(sg_site, "create", make("Umi"))[0] == status
    assert ("Umi" in names(sg_site)) is made
    assert wire(sg_site, "create", make("Yama"))[0] == 200
    assert [count for _, count in sg_site.faults.acted()] == [1]


def test_maintenance_and_throttling_say_when_to_come_again(sg_site: SgSite) -> None:
    sg_site.faults.hold([rule(FaultKind.MAINTENANCE, retry_after=30)])
    status, headers, body = wire(sg_site, "read", {})
    assert (status, headers["retry-after"]) == (503, "30")
    assert b"maintenance" in body

    sg_site.faults.hold([rule(FaultKind.THROTTLED, on="create", retry_after=7)])
    status, headers, body = wire(sg_site, "create", make("Umi"))
    assert (status, headers["retry-after"]) == (429, "7")
    assert b"rate limit" in body

    client = sg_site.connect()
    sg_site.faults.hold([rule(FaultKind.THROTTLED, words="Quota used up.")])
    with pytest.raises(shotgun_api3.Fault, match="Quota used up"):
        client.find_one("Project", [])
    sg_site.faults.clear()
    assert wire(sg_site, "create", make("Umi"))[0] == 200


def test_requests_go_wrong_by_count_and_by_what_they_are_about(sg_site: SgSite) -> None:
    sg_site.faults.hold([rule(FaultKind.ERROR, on="create", entity="Project", skip=1, every=2)])

    sent = [wire(sg_site, "create", make(f"P{number}"))[0] for number in range(5)]
    other = {"type": "HumanUser", "fields": [{"field_name": "login", "value": "x"}]}

    assert sent == [200, 502, 200, 502, 200]
    assert wire(sg_site, "create", other)[0] == 200


def test_a_stalled_and_a_cut_answer(sg_site: SgSite) -> None:
    sg_site.faults.hold([rule(FaultKind.STALL, seconds=0.3, times=1)])
    passed = every(0.3)
    assert not next(passed)
    assert wire(sg_site, "read", {"type": "Project", "return_fields": ["id"]})[0] == 200
    assert next(passed)

    sg_site.faults.hold([rule(FaultKind.CUT, on="create", times=1)])
    with pytest.raises(http.client.IncompleteRead):
        wire(sg_site, "create", make("Umi"))
    assert "Umi" in names(sg_site)


# The official client leaves the file that it has sent open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_upload_fails_and_a_link_has_expired(sg_site: SgSite, tmp_path: Path) -> None:
    client = sg_site.connect()
    project = client.create("Project", {"name": "Umi"})
    version = client.create("Version", {"code": "v1", "project": project})
    (tmp_path / "a.txt").write_text("hello")
    attachment = client.upload("Version", version["id"], str(tmp_path / "a.txt"))
    where = urlsplit(sg_site.url)

    def ask(method: str, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        connection.request(method, path)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    sg_site.faults.hold(
        [rule(FaultKind.EXPIRED_LINK), rule(FaultKind.ERROR, on="upload", status=504)]
    )
    status, text = ask("GET", f"/file_serve/attachment/{attachment}")
    assert (status, b"Request has expired" in text) == (403, True)
    assert ask("POST", "/upload/upload_file")[0] == 504
    sg_site.faults.clear()
    assert client.download_attachment({"type": "Attachment", "id": attachment}) == b"hello"


def events(sg_site: SgSite) -> list[int]:
    found = sg_site.connect().find("EventLogEntry", [], ["id"])
    return [int(one["id"]) for one in cast("list[dict[str, Any]]", found)]


def test_ids_of_the_log_come_late_or_never_and_the_log_begins_anew(sg_site: SgSite) -> None:
    client = sg_site.connect()
    for number in range(4):
        client.create("Project", {"name": f"P{number}"})
    whole = events(sg_site)

    sg_site.faults.hold([rule(FaultKind.LOST_EVENTS, every=3)])
    assert events(sg_site) == [one for one in whole if one % 3]
    sg_site.faults.hold([rule(FaultKind.LATE_EVENTS, every=2, seconds=0.2)])
    assert events(sg_site) == [one for one in whole if one % 2]
    eventually(lambda: events(sg_site) == whole, "the ids that come late")
    sg_site.faults.hold([rule(FaultKind.STREAM_RESET)])
    assert events(sg_site) == []
    client.create("Project", {"name": "After"})
    assert events(sg_site)[0] == 1


def test_a_silent_script_leaves_nothing_in_the_log_until_it_is_let(sg_site: SgSite) -> None:
    client = sg_site.connect()
    sg_site.faults.hold([rule(FaultKind.SILENT_SCRIPT, script=sg_site.script_name)])
    before = events(sg_site)
    client.create("Project", {"name": "Quiet"})
    assert events(sg_site) == before
    sg_site.faults.clear()
    client.create("Project", {"name": "Loud"})
    assert len(events(sg_site)) > len(before)


def test_a_field_is_denied_and_a_status_is_not_offered(sg_site: SgSite) -> None:
    client = sg_site.connect()
    sg_site.faults.hold([rule(FaultKind.DENIED_FIELD, entity="Version", field="description")])
    with pytest.raises(shotgun_api3.Fault, match=r"Version\.description"):
        client.find("Version", [], ["code", "description"])
    with pytest.raises(shotgun_api3.Fault, match=r"Version\.description"):
        client.find("Version", [["description", "is", "x"]], ["code"])
    client.find("Version", [], ["code"])
    client.find("Shot", [], ["description"])

    sg_site.faults.hold([rule(FaultKind.HIDDEN_STATUS, entity="Version", status_code="rev")])
    field = cast("Any", client.schema_field_read("Version", "sg_status_list"))["sg_status_list"]
    assert field["properties"]["hidden_values"]["value"] == ["rev"]
    task = cast("Any", client.schema_field_read("Task", "sg_status_list"))["sg_status_list"]
    assert task["properties"]["hidden_values"]["value"] == []


def test_the_clock_is_wrong_in_headers_and_in_rows(sg_site: SgSite) -> None:
    from email.utils import parsedate_to_datetime

    sg_site.faults.hold([rule(FaultKind.CLOCK_SKEW, seconds=7200)])
    _, headers, _ = wire(sg_site, "read", {"type": "Project", "return_fields": ["id"]})
    ahead = parsedate_to_datetime(headers["date"]).timestamp() - time.time()
    client = sg_site.connect()
    made = client.create("Project", {"name": "Later"}, ["created_at"])

    assert 7100 < ahead < 7300
    assert 7100 < made["created_at"].timestamp() - time.time() < 7300


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([{"kind": "eror"}], "no kind 'eror' (did you mean 'error'?)"),
        ([{"kind": "lost_event"}], "did you mean 'lost_events'"),
        ([{"kind": "error", "ony": "read"}], "no 'ony' (did you mean 'on'?)"),
        ([{"kind": "error", "on": "raed"}], "is no request (did you mean 'read'?)"),
        ([{"kind": "stall"}], "fault 1 (stall) needs seconds"),
        ([{"kind": "error"}, {"kind": "denied_field", "entity": "Shot"}], "fault 2 (denied_field)"),
        ([{"kind": "error", "status": 200}], "status"),
        ([{"kind": "error", "when": "later"}], "when"),
        ([{}], "kind"),
        ({"kind": "error"}, "fault"),
        (None, "fault"),
    ],
)
def test_a_rule_that_means_nothing_is_named_with_the_nearest_word(given: object, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        rules_of(given, where="a file")
    assert said in str(refused.value)


def test_rules_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nkind = "stall"\nseconds = 30\n[[fault]]\nkind = "error"\n')
    assert [one.kind for one in read_faults(file)] == [FaultKind.STALL, FaultKind.ERROR]
    for text, said in (("faults = []", "faults"), ("[[fault", "cannot be read")):
        file.write_text(text)
        with pytest.raises(SettingsError, match=said):
            read_faults(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_faults(tmp_path / "none.toml")


def test_rules_are_changed_over_http_with_the_key_alone(sg_site: SgSite) -> None:
    options = SiteOptions(thumbnail_delay=0.0, board=sg_site.faults, faults_key="k" * 20)

    def ask(url: str) -> Callable[..., tuple[int, dict[str, Any]]]:
        where = urlsplit(url)

        def send(method: str, body: object = None, key: str = "k" * 20) -> Any:
            connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
            shown = {"authorization": f"Bearer {key}"}
            connection.request(method, "/haikei/faults", json.dumps(body), shown)
            answer = connection.getresponse()
            found = answer.status, json.loads(answer.read())
            connection.close()
            return found

        return send

    with serving(sg_site.site, options) as url:
        send = ask(url)
        assert send("PUT", {"fault": [{"kind": "error", "on": "create"}]})[0] == 200
        assert send("GET")[1]["fault"][0]["acted"] == 0
        assert send("GET", key="wrong")[0] == 401
        status, told = send("PUT", {"fault": [{"kind": "eror"}]})
        assert status == 422
        assert "did you mean 'error'" in told["error"]
        assert send("POST")[0] == 405
        assert send("DELETE")[1] == {"fault": []}
    assert ask(sg_site.url)("GET")[0] == 403
