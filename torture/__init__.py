"""Faults, load and hostile input, and what judges that every promise was kept; see README.md in this folder."""
