"""Learners typing and answering while the site's processes are killed, flushed, cut off and lied to; then every promise is checked."""
