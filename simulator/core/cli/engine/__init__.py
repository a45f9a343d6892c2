"""The commands that Docker's and nerdctl's command lines share, over `runtime/engine`; a `Session` says whose words are printed."""
