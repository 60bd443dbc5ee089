"""The widget that other sites embed: its script, and the addresses it is served under."""

from web.widget.routes import blueprint
from web.widget.script import WidgetScript, widget_script

__all__ = ["WidgetScript", "blueprint", "widget_script"]
