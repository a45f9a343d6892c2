"""`python -m simulator`: worlds without the site, for authors, tests and real clients."""
