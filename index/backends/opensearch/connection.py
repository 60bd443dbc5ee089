"""The client of a cluster, as the settings name it."""

import logging
from typing import Any

import orjson
from opensearchpy import JSONSerializer, OpenSearch

from index.errors import SettingsError
from index.settings import Settings

__all__ = ["connect"]

# They tell of each request with what was asked, which is nobody else's.
for _name in ("opensearch", "opensearchpy"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_SECONDS = 10  # until a node that does not answer is left for another
_TRIES = 6  # besides the first
_TRIES_READING = 2  # together less than a reader waits
_DEAD_SECONDS, _DOUBLED = 5, 2  # until a node that failed is asked again, doubled so often
_BUSY = (502, 503, 504)


class _Serializer(JSONSerializer):
    """Writes and reads JSON several times faster than the client's own."""

    def dumps(self, data: Any) -> Any:
        if isinstance(data, str):
            return data
        try:
            return orjson.dumps(data, default=self.default).decode()
        except TypeError:  # half of a character, which comes from pages and readers alike
            return super().dumps(data)

    def loads(self, s: str) -> Any:
        try:
            return orjson.loads(s)
        except ValueError:
            return super().loads(s)


def connect(settings: Settings, *, reads_only: bool = False) -> OpenSearch:
    """Return a client that asks another node where one does not answer; it asks nothing yet.

    One that `reads_only` gives up sooner, for somebody waits. Certificates are verified. Raises
    SettingsError where the settings name no cluster.
    """
    if not settings.opensearch_url:
        raise SettingsError(
            "opensearch_url names no cluster: it must be written https://node1.example:9200, "
            "several with commas."
        )
    options: dict[str, Any] = {}
    auth = settings.opensearch_auth
    if auth:
        user, colon, password = auth.partition(":")
        if colon and " " not in user:
            options["http_auth"] = (user, password)
        else:
            options["headers"] = {"Authorization": str(auth)}
    if settings.opensearch_ca:
        options["ca_certs"] = str(settings.opensearch_ca)
    return OpenSearch(
        list(settings.opensearch_url),
        timeout=_SECONDS,
        # A node that has failed is tried again within seconds, and not within half an hour.
        dead_timeout=_DEAD_SECONDS,
        timeout_cutoff=_DOUBLED,
        max_retries=_TRIES_READING if reads_only else _TRIES,
        retry_on_timeout=True,
        retry_on_status=_BUSY,
        # To compress takes a processor longer than to send: requests have many megabytes.
        http_compress=False,
        serializer=_Serializer(),
        verify_certs=True,
        **options,
    )
