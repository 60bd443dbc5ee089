"""How people and programs ask: the web application."""

from flask import Flask

from index.settings import Settings
from search import Searcher, open_searcher
from web import (
    addresses,
    api,
    assets,
    caching,
    compression,
    cors,
    entries,
    errors,
    headers,
    health,
    limits,
    markup,
    pages,
    widget,
)
from web.params import article_url, identifier_url, organisation_url, query_url, search_url
from web.related import reason_parts, reason_text

__all__ = ["create_app"]


def create_app(settings: Settings, searcher: Searcher | None = None) -> Flask:
    """Return the web application over a data folder, or over a searcher that is already open."""
    from web import metrics  # once the server has said which folder its processes share

    app = Flask(__name__)
    # Two slashes may stand in a name, and a redirect to another address is no answer to a program.
    app.url_map.merge_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.finalize = markup.printed
    searcher = searcher or open_searcher(settings)
    app.register_blueprint(pages.blueprint(settings, searcher))
    app.register_blueprint(api.blueprint(searcher))
    app.register_blueprint(widget.blueprint())
    addresses.register(app)
    app.register_blueprint(health.blueprint(searcher))
    app.extensions["metrics"] = measured = metrics.Metrics(searcher)
    app.register_blueprint(metrics.blueprint(settings, measured))
    compression.register(app)
    limits.register(app, settings)
    caching.register(app, settings, searcher)
    errors.register(app)
    prints = assets.fingerprints(app)
    headers.register(app, prints)
    cors.register(app, settings)
    limits.bound_streams(app, settings)
    app.jinja_env.filters.update(
        clock=markup.clock, day=markup.day, number=markup.number, web_address=markup.web_address
    )
    app.jinja_env.globals.update(
        article_url=article_url,
        asset_url=assets.addresses(prints),
        bar_link=entries.bar_link,
        both=entries.both,
        counts=entries.counts,
        entry=entries.entry,
        identifier_url=identifier_url,
        marked=markup.marked,
        named=markup.named,
        named_in=entries.named_in,
        number_of_copies=markup.number_of_copies,
        organisation_url=organisation_url,
        query_url=query_url,
        reason_parts=reason_parts,
        reason_text=reason_text,
        search_url=search_url,
        site_name=settings.site_name,
        word_boundaries=searcher.word_boundaries,
    )
    return app
