"""What `pachyderm check` does: find out from a module's annotations alone whether it keeps the contract."""
