"""`make stack`: what a production site consists of, on this machine: PostgreSQL, Redis, two web and two worker processes, nginx."""
