"""The command line: thin commands over the engine; text for people, JSON for programs."""
