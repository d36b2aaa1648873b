"""The embedded tracker as an ASGI application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from haikei.sgserver.calls import Calls
from haikei.sgserver.downloads import Downloads
from haikei.sgserver.hosting import Hosting, SiteOptions
from haikei.sgserver.pages import Pages
from haikei.sgserver.rest import Rest
from haikei.sgserver.site import Site
from haikei.sgserver.uploads_classic import ClassicUploads
from haikei.sgserver.uploads_cloud import CloudUploads
from haikei.sgserver.visitors import Visitors
from haikei.sgserver.webhook_sending import WebhookSender

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
            *CloudUploads(hosting).routes(),
            *Downloads(hosting, visitors).routes(),
            *Rest(hosting, sender).routes(),
            *Pages(hosting, visitors).routes(),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
        lifespan=lifespan,
    )
