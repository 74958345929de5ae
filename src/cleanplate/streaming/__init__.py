"""The frames of a recording, one after the other, with their foreground."""

from cleanplate.streaming.result import Result

__all__ = ["Result"]
