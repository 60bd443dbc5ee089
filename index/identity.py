"""An article's identity: the key and id derived from its address, or from its path."""

import re
from hashlib import blake2b
from urllib.parse import urlsplit

__all__ = ["article_id", "article_key"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_WECHAT_PARAMETERS = ("__biz", "idx", "mid", "sn")
_TRACKING = re.compile(r"utm_|spm$")


def article_key(url: str | None, path: str) -> str:
    """Return what makes two pages one article.

    With an address: `host/path?query` in canonical form. Without one, or where the address has no
    host: `path:` and the POSIX path relative to the folder or archive named on the command line.
    """
    if url:
        try:
            parts = urlsplit(url.strip())
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:  # "http://[" and ports above 65535 are seen in real front matter
            host, port = "", None
        if host:
            if port and port != _DEFAULT_PORTS.get(parts.scheme):
                host = f"{host}:{port}"
            query = _canonical_query(host, parts.query)
            return host + parts.path.rstrip("/") + (f"?{query}" if query else "")
    return f"path:{path}"


def article_id(key: str) -> str:
    """Return the 16 hexadecimal digits by which an article is known everywhere."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _canonical_query(host: str, query: str) -> str:
    # Parameters are sorted as they were written: decoding them would make "a%26b" ambiguous.
    kept = []
    for parameter in query.split("&"):
        name = parameter.partition("=")[0]
        if host == "mp.weixin.qq.com":
            wanted = name in _WECHAT_PARAMETERS
        else:
            wanted = bool(parameter) and not _TRACKING.match(name)
        if wanted:
            kept.append(parameter)
    return "&".join(sorted(kept))
