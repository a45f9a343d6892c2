"""bash over simulated files, processes and time: language, terminal, completion, and the commands of a Linux host."""
