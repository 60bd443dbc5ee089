"""The command of those who embed the widget in another site: what to paste, and how it looks."""

from wsgiref.simple_server import make_server

import click

from index.settings import Settings
from web.cli_base import Text, json_option, print_json, reports_errors
from web.widget import create_demo, embed_code, embed_object
from web.widget.embed import read_server

__all__ = ["widget_command"]

_DEMO = "http://127.0.0.1:8000"  # where `anwen demo` serves


@click.command("widget")
@click.option("--base-url", type=Text(), help="The address that readers see; default base_url.")
@click.option("--demo", is_flag=True, help="Serve a page of another site that embeds the widget.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@json_option
@click.pass_obj
@reports_errors
def widget_command(
    settings: Settings, base_url: str | None, demo: bool, port: int, as_json: bool
) -> None:
    """Print the tag and the element that put the search into another site's page."""
    chosen = base_url or settings.base_url
    if demo:
        _serve_demo(read_server(chosen or _DEMO), port)
    elif as_json:
        print_json(embed_object(chosen))
    else:
        click.echo(embed_code(chosen))
        click.echo(
            "\nThe page's site must be in allowed_origins, and its policy must allow "
            f"{embed_object(chosen)['policy']}; see docs/widget.md.",
            err=True,
        )


def _serve_demo(server: str, port: int) -> None:
    origin = f"http://127.0.0.1:{port}"
    try:
        demo = make_server("127.0.0.1", port, create_demo(server))
    except OSError as error:
        raise click.ClickException(f"Port {port}: {error}. Name another with --port.") from error
    click.echo(
        f"{origin}/ embeds the search of {server}, which must know it: "
        f"ANWEN_ALLOWED_ORIGINS={origin} anwen demo",
        err=True,
    )
    with demo:
        demo.serve_forever()
