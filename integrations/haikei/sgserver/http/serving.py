"""The embedded tracker as an ASGI application, served over HTTP until it is stopped."""

import contextlib
import http.client
import ipaddress
import json
import os
import secrets
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import structlog
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from haikei.asgi import listening, serve_until
from haikei.errors import SettingsError, StateError
from haikei.sgserver.faults import BadDays, FaultBoard, FaultRule
from haikei.sgserver.http.hosting import Hosting, SiteOptions, Visitors
from haikei.sgserver.http.rest import Rest
from haikei.sgserver.http.rest_rows import RestRows
from haikei.sgserver.http.rpc import Calls
from haikei.sgserver.http.webhook_sending import WebhookSender
from haikei.sgserver.media.downloads import Downloads
from haikei.sgserver.media.upload_requests import ClassicUploads, CloudUploads
from haikei.sgserver.pages.pages import Pages
from haikei.sgserver.seeds.demo_studio import seed_demo, seed_empty
from haikei.sgserver.site import Site

_DEFAULTS = SiteOptions()


def make_app(site: Site, options: SiteOptions = _DEFAULTS) -> Starlette:
    """
    Return an application that serves a site: calls, uploads, downloads, webhooks and pages.

    It must stand at the root of a host, since clients ask for absolute paths. Its lifespan runs
    the threads that make thumbnails and send to webhooks; the site stays open when it ends.
    """
    hosting = Hosting.open(site, options)
    visitors = Visitors(site, remote=options.remote)
    sender = WebhookSender(site)
    cloud = CloudUploads(hosting)
    site.sign = hosting.signer.sign

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        hosting.thumbnails.start()
        sender.start()
        try:
            yield
        finally:
            await hosting.workers.run(sender.stop)
            await hosting.workers.run(hosting.thumbnails.stop)
            hosting.workers.close()

    # On loopback a foreign host name means that some web page had its own name point here
    # (DNS rebinding), to read what needs no login.
    hosts = ["*"] if options.remote else ["127.0.0.1", "localhost", "::1", "[::1]", options.host]
    return Starlette(
        routes=[
            *Calls(hosting).routes(),
            *ClassicUploads(hosting).routes(),
            *cloud.routes(),
            *Downloads(hosting, visitors).routes(),
            *Rest(hosting, sender).routes(),
            *RestRows(hosting, cloud).routes(),
            *Pages(hosting, visitors).routes(),
        ],
        middleware=[
            *_bad_days(options),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
        ],
        lifespan=lifespan,
    )


def _bad_days(options: SiteOptions) -> Sequence[Middleware]:
    if options.board is None:
        return ()
    return (Middleware(BadDays, board=options.board, key=options.faults_key),)


Seed = Literal["demo", "empty"]

_log = structlog.get_logger(__name__)


def serve(
    *,
    data: Path,
    port: int,
    host: str = "127.0.0.1",
    scripts: Sequence[tuple[str, SecretStr]] = (),
    seed: Seed = "empty",
    uploads: Literal["classic", "cloud"] = "classic",
    on_ready: Callable[[str], None],
    stop: threading.Event,
    allow_remote: bool = False,
    thumbnail_delay: float = 1.0,
    faults: Sequence[FaultRule] | None = None,
) -> None:
    """
    Serve the site in `data`; return when `stop` is set and the answers under way are sent.

    Args:
        data: the site's folder; made when it is not there.
        port: 0 picks a free one.
        host: the address to bind; any but loopback needs `allow_remote`.
        scripts: script users and their keys; they are made, or their key is changed.
        seed: what the site holds at least.
        uploads: which way clients are to upload.
        on_ready: called once, from another thread, with the address, when calls are answered.
        stop: ends the server.
        allow_remote: let other machines in; pages then ask for a login.
        thumbnail_delay: seconds that a thumbnail is pending at least.
        faults: what goes wrong on purpose; they can then be changed with the key in
            `keys/faults`. None: nothing goes wrong, and nobody can change that.

    Raises:
        SettingsError: the host is refused, or the port is taken.
        StateError: the folder or its database cannot be used.
    """
    site = Site.open(data)
    try:
        seed_empty(site)
        if seed == "demo":
            seed_demo(site)
        for name, key in scripts:
            site.add_script(name, key.get_secret_value())
        board = None if faults is None else FaultBoard(site)
        if board is not None:
            board.hold(faults or ())
        options = SiteOptions(
            uploads=uploads,
            remote=allow_remote,
            host=host,
            thumbnail_delay=thumbnail_delay,
            board=board,
            faults_key="" if board is None else _faults_key(data),
        )
        serve_site(site, options, port=port, on_ready=on_ready, stop=stop)
    finally:
        site.close()


def _faults_key(data: Path) -> str:
    """Return the key that changes faults, made once and readable by its owner alone."""
    file = data / "keys" / "faults"
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "w", encoding="utf-8") as stream:
                stream.write(secrets.token_urlsafe(32))
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StateError(f"The key {file} can be neither read nor made: {error}.") from error


def serve_site(
    site: Site,
    options: SiteOptions,
    *,
    port: int,
    on_ready: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """
    Serve an open site, as `serve` does.

    Raises:
        SettingsError: the host is refused, or the port is taken.
    """
    host = options.host
    if not options.remote and not _is_loopback(host):
        raise SettingsError(
            f"Binding to {host} would let other machines reach this site.",
            advice="Bind to 127.0.0.1, or allow it with --allow-remote behind a TLS proxy.",
        )
    with listening(host, port, what="The site", setting="port") as listener:
        bound = int(listener.getsockname()[1])
        url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        site.base_url = url

        def announce() -> None:
            try:
                if _answers(host, bound):
                    _log.info("site_ready", url=url)
                    on_ready(url)
            except OSError as error:
                if not stop.is_set():
                    _log.error("site_does_not_answer", url=url, reason=str(error))

        announcer = threading.Thread(target=announce, name="announce", daemon=True)
        serve_until(
            stop,
            make_app(site, options),
            listener,
            on_started=announcer.start,
            dates=options.board is None,
        )
    _log.info("site_stopped", url=url)


def _answers(host: str, port: int) -> bool:
    """Return whether the site answers a call, which its lifespan alone does not show."""
    connection = http.client.HTTPConnection(host, port, timeout=30)
    with contextlib.closing(connection):
        connection.request("POST", "/api3/json", json.dumps({"method_name": "info"}))
        with connection.getresponse() as answer:
            return answer.status == http.HTTPStatus.OK and bool(answer.read())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
