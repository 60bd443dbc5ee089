"""What an editor pastes into a page to have the widget there."""

import re
from html import escape

from index.errors import SettingsError
from web.widget.bundle import make_bundle

__all__ = ["embed_code", "embed_object", "read_server"]

_SERVER = re.compile(r"https?://[^/\s?#@]+")


def read_server(base_url: str | None) -> str:
    """Return the origin that pages load the widget from; raises SettingsError without one."""
    if not base_url:
        raise SettingsError(
            "The tag needs the address that readers see: set base_url (ANWEN_BASE_URL), "
            "or give --base-url https://news.example."
        )
    found = _SERVER.match(base_url.strip())
    if not found:
        raise SettingsError(
            f"{base_url!r} is no address; write it with its scheme, https://news.example."
        )
    return found[0]


def embed_object(base_url: str | None) -> dict[str, str]:
    """Return the parts of the code, as `anwen widget --json` prints them."""
    server, bundle = read_server(base_url), make_bundle()
    return {
        "version": bundle.version,
        "src": server + bundle.path,
        "integrity": bundle.integrity,
        "latest": f"{server}/widget.js",
        "script": (
            f'<script src="{escape(server + bundle.path)}" integrity="{bundle.integrity}" '
            'crossorigin="anonymous" async></script>'
        ),
        "element": (
            '<anwen-search lang="zh">\n'
            f'  <form action="{escape(server)}/search">\n'
            '    <input type="search" name="q" aria-label="检索安全新闻">\n'
            "    <button>检索</button>\n"
            "  </form>\n"
            "</anwen-search>"
        ),
        "policy": f"script-src {server}; connect-src {server}",
    }


def embed_code(base_url: str | None) -> str:
    """Return the script tag, and an element whose form works where no script runs."""
    parts = embed_object(base_url)
    return f"{parts['script']}\n\n{parts['element']}"
