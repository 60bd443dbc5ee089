"""Categories: one scheme, what pages' own names mean in it, and a guess for pages without one."""

from index.categories.model import CategoryModel, model_fingerprint, with_category
from index.categories.scheme import categories, category_of, printed_names

__all__ = [
    "CategoryModel",
    "categories",
    "category_of",
    "model_fingerprint",
    "printed_names",
    "with_category",
]
