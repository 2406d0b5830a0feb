"""The scenarios, each a module whose functions take a Run and return a Figure."""
