"""The projects and the command of the tests of the command line, for whoever runs all of it at once."""

from tests.cli.conftest import outbox_lab, pachyderm, project, site, time_lab

__all__ = ["outbox_lab", "pachyderm", "project", "site", "time_lab"]
