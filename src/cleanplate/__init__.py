"""Learns what a fixed camera sees when nobody is there, and cuts out everything else."""

from cleanplate._version import __version__

__all__ = ["__version__"]
