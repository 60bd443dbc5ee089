"""The widget that other sites embed: `<anwen-search>`, from its source to its address."""

from web.widget.bundle import Bundle, make_bundle
from web.widget.demo import create_demo
from web.widget.embed import embed_code, embed_object
from web.widget.routes import blueprint

__all__ = ["Bundle", "blueprint", "create_demo", "embed_code", "embed_object", "make_bundle"]
