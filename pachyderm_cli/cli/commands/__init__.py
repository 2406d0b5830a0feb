"""One file per command. Each loads the engine inside its function, so that `--help` loads no database library."""
