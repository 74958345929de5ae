"""Every method and every peer on the same frames, under the same rules, in the same run.

Nothing is imported here: the process of a cell must not pay for what draws the page.
"""
