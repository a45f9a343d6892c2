"""Tools of the project: checks, bench, throw-away servers.  Not part of the site."""
