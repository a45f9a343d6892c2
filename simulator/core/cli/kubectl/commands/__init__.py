"""kubectl's commands, one file each: a `COMMAND` and the function it runs."""
