"""What is stored: articles, their analysis, the article store and the index built from it."""
