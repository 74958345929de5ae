"""Mutated inputs of several kinds, and processes that try them within limits."""

from fuzzing import scenes
from fuzzing.kinds import KINDS
from fuzzing.trials import Limits, Trials, run_trials, try_one, work

__all__ = ["KINDS", "Limits", "Trials", "run_trials", "scenes", "try_one", "work"]
