"""A page that says one thing, for errors and for what menu items answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from http import HTTPStatus

from starlette.responses import HTMLResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLink:
    """Somewhere to go on."""

    href: str
    text: str


def message_page(
    status: int,
    text: str,
    *,
    lines: Sequence[str] = (),
    links: Sequence[PageLink] = (),
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """
    Return the page.

    Args:
        status: of the answer.
        text: one sentence.
        lines: details, one a paragraph.
        links: where to go on.
        headers: more of the answer's headers.
    """
    title = "Haikei" if status < HTTPStatus.BAD_REQUEST else HTTPStatus(status).phrase
    more = "".join(f"<p>{escape(line)}</p>" for line in lines)
    ways = "".join(
        f'<li><a href="{escape(link.href)}">{escape(link.text)}</a></li>'
        for link in (*links, PageLink(href="/", text="All shows"))
    )
    return HTMLResponse(
        page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>{more}<ul>{ways}</ul>"),
        status,
        dict(headers) if headers else None,
    )


def page(title: str, content: str) -> str:
    """Return a whole document around some HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Haikei</title>"
        '<link rel="stylesheet" href="/static/haikei.css"></head>'
        f'<body><main class="message">{content}</main></body></html>'
    )
