"""Layers that are followed by a second process, beside the one that decodes and estimates."""

from cleanplate.segmentation.beside.process import Following, SecondProcess, ToFollow

__all__ = ["Following", "SecondProcess", "ToFollow"]
