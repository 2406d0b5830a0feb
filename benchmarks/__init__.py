"""Pachyderm measured beside the raw drivers and a peer: `make bench`."""
