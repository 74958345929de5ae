"""Templates of the pages; every page of the house extends the same one."""

from __future__ import annotations

from importlib.resources import files

import jinja2


def page_environment(*packages: str) -> jinja2.Environment:
    """Environment that finds the templates of this package, and of others by their import name."""

    def read(name: str) -> str | None:
        for package in (__package__, *packages):
            path = files(package).joinpath(name)
            if path.is_file():
                return path.read_text(encoding="utf-8")
        return None

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(read),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
