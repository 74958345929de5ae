"""Which version of a package is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def version_of(package: str) -> str | None:
    """Version of an installed package; None: there is none of that name."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
