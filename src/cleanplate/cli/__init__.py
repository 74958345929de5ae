"""The command line."""

from cleanplate.cli.main import main

__all__ = ["main"]
