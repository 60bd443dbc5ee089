"""Whole addresses of this site, for what is read outside of it."""

from flask import request

from index.settings import Settings

__all__ = ["absolute", "mount"]


def mount(settings: Settings) -> str:
    """Return what stands before every path: the setting, or what the request itself was sent to."""
    return (settings.base_url or request.url_root).rstrip("/")


def absolute(settings: Settings, path: str) -> str:
    """Return a path of this site as an address that means the same anywhere."""
    return mount(settings) + path
