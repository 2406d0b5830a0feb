"""Faults, and what records a disk: see the scenarios that use them."""
