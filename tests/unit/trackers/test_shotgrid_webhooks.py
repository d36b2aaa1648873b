"""Which addresses a site in the internet can reach, and what is said when it cannot."""

from pathlib import Path

import pytest
from pydantic import HttpUrl, SecretStr

from haikei.trackers.shotgrid.webhooks import check_webhooks, is_public, set_up_webhooks
from support.sites import site_settings


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://haikei.studio.co.jp", True),
        ("https://haikei.studio.co.jp.:8443/pages", True),
        ("https://93.184.216.34", True),
        ("https://[2606:2800:220:1::1]", True),
        ("http://127.0.0.1:8771", False),
        ("http://localhost:8771", False),
        ("http://[::1]:8771", False),
        ("http://10.1.2.3", False),
        ("http://192.168.0.9", False),
        ("http://172.16.0.1", False),
        ("http://169.254.169.254", False),
        ("http://[fd00::1]", False),
        ("http://render01", False),
        ("http://haikei.local", False),
        ("http://haikei.studio.internal", False),
    ],
)
def test_an_address_is_public_or_not(url: str, *, public: bool) -> None:
    assert is_public(url) == public


def test_a_site_in_the_internet_is_not_asked_to_reach_into_the_studio(tmp_path: Path) -> None:
    """Nothing is sent: the address of the site does not exist."""
    settings = site_settings("https://studio.shotgrid.example.com", "haikei", tmp_path, tmp_path)
    web = settings.web.model_copy(
        update={"url": HttpUrl("http://10.0.0.5:8771"), "webhook_token": SecretStr("t")}
    )
    settings = settings.model_copy(update={"web": web})
    key = SecretStr("k")

    for found in (set_up_webhooks(settings, key, dry_run=False), check_webhooks(settings, key)):
        (finding,) = found
        assert finding.ok
        assert "cannot reach http://10.0.0.5:8771/" in finding.message


def test_a_site_that_is_away_is_a_finding(tmp_path: Path) -> None:
    settings = site_settings("http://127.0.0.1:9", "haikei", tmp_path, tmp_path)
    web = settings.web.model_copy(
        update={"url": HttpUrl("http://127.0.0.1:8771"), "webhook_token": SecretStr("t")}
    )
    settings = settings.model_copy(update={"web": web})

    (finding,) = set_up_webhooks(settings, SecretStr("k"), dry_run=False)

    assert not finding.ok
    assert "gave no answer about webhooks: ConnectError" in finding.message
