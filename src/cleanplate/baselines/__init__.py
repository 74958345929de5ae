"""Simple methods that every table needs beside the learned ones."""

from cleanplate.baselines.still import STILL_BASELINES

__all__ = ["STILL_BASELINES"]
