"""Packages: apt-get, apt, apt-mark, apt-cache, dpkg, gpg on a simulated archive.

The database is the real one's file, `/var/lib/dpkg/status`; what `apt-get update` fetched stands below `/var/lib/apt/lists`.  A package's
programs become executables of the host, its units unit files; what the catalogue does not know cannot be located.
"""
