"""The command `anwen widget`: what a site pastes to embed the search, and a page that shows it."""

import re

import click

from index.settings import Settings
from web.cli_base import Text, json_option, print_json, reports_errors
from web.widget import widget_script

__all__ = ["DEMO_ORIGINS", "widget_command"]

_DEMO_PORT = 8001
DEMO_ORIGINS = tuple(f"http://{host}:{_DEMO_PORT}" for host in ("127.0.0.1", "localhost"))
"""Where the page of `anwen widget --demo` asks from."""

_SITE = re.compile(r"https?://[^/\s?#@\"'<>]+")


@click.command("widget")
@click.option("--base-url", type=Text(), help="Address of this site; default the setting's.")
@click.option("--demo", is_flag=True, help="Serve a page of another origin that embeds it.")
@click.option("--port", type=click.IntRange(1, 65535), default=_DEMO_PORT, show_default=True)
@json_option
@click.pass_obj
@reports_errors
def widget_command(
    settings: Settings, base_url: str | None, demo: bool, port: int, as_json: bool
) -> None:
    """Print the tags that embed the search, with the hash that browsers check."""
    site = (base_url or settings.base_url or ("http://127.0.0.1:8000" if demo else "")).rstrip("/")
    if not _SITE.fullmatch(site):
        raise click.UsageError(
            f"The address of this site is {site!r}. Name it with --base-url https://news.example, "
            "or set base_url."
        )
    script = widget_script()
    address = f"{site}/widget/{script.version}.js"
    tag = (
        f'<script src="{address}" integrity="{script.integrity}" crossorigin="anonymous"></script>'
    )
    if as_json:
        print_json(
            {
                "version": script.version,
                "script": address,
                "integrity": script.integrity,
                "bytes": len(script.text.encode()),
                "tag": tag,
            }
        )
    else:
        click.echo(tag)
        click.echo(f'<anwen-search>\n  <form action="{site}/search"><input name="q"></form>')
        click.echo("</anwen-search>")
        if not settings.allowed_origins:
            click.echo(
                "No site may ask yet: name those that embed it in allowed_origins.", err=True
            )
    if demo:
        _serve_demo(site, port)


def _serve_demo(site: str, port: int) -> None:
    from werkzeug.serving import make_server

    from web.widget.demo import demo_page

    try:
        server = make_server("127.0.0.1", port, demo_page(site), threaded=True)
    except OSError as error:
        raise click.ClickException(
            f"Port {port} cannot be used: {error}. Name another with --port."
        ) from error
    click.echo(f"http://127.0.0.1:{port}/", err=True)
    server.serve_forever()
