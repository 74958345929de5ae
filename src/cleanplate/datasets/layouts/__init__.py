"""The data sets: one file each, found by file name.

A new file here with a value `DATASET` is a new data set; no list is edited. Other packages register
the same value under the entry point group `cleanplate.datasets`.
"""
