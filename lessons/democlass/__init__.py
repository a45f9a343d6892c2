"""A class to look at: learners of several kinds, really played through the services (`manage.py democlass`)."""
