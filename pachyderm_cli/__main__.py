"""`python -m pachyderm_cli` is `pachyderm`."""

from pachyderm_cli.cli.app import main

if __name__ == "__main__":
    main()
