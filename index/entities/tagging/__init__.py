"""A sequence model for names on no list: features, tagger, and the training of its weights."""

from index.entities.tagging.tagger import Tagger, Tagging

__all__ = ["Tagger", "Tagging"]
