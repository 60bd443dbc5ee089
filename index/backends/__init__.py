"""The stores that can hold the index."""
