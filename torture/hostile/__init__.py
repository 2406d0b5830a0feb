"""Input that nobody means well with: generated for every command, file and text, and what judges the answers."""
