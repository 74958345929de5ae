"""Trees of settings with values that were changed: resolved, and used on a frame."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from fuzzing.mutations import DUMPER, mutate_bytes, mutate_text, mutate_tree
from fuzzing.painting import paint_frames, write_folder

_LONGEST_PATH = 2000
_WAYS = ("tree", "file", "texts", "closed")

_made: dict[Path, Any] = {}
"""The tree of an input, which may hold what no file can."""


def prepare(seeds: Path) -> None:
    """The settings of every method, and a scene to try those of segmentation on."""
    import cleanplate
    from cleanplate.settings import known_methods, resolve

    source = write_folder(seeds / "recording", paint_frames())
    cleanplate.learn(source, method="median", device="cpu").save(seeds / "scene")
    trees = [resolve({"method": method}).as_tree() for method in known_methods()]
    (seeds / "trees.json").write_text(json.dumps(trees))


def make(place: Path, seeds: Path, random: Random) -> str:
    """A tree of one method, parts of it left out, with up to five values changed."""
    trees = json.loads((seeds / "trees.json").read_text())
    tree = random.choice(trees)
    for key in [key for key in tree if random.random() < 0.5]:
        del tree[key]
    for _ in range(random.choice([1, 1, 2, 3, 5])):
        tree = mutate_tree(tree, random)
    way = random.choice(_WAYS)
    (place / "seeds").write_text(str(seeds))
    (place / "way").write_text(way)
    _made.clear()
    _made[place] = tree
    _write(place, tree, random)
    if way == "file" and random.random() < 0.5:
        path = place / "settings.yaml"
        change = random.choice([mutate_bytes, mutate_text])
        path.write_bytes(change(path.read_bytes(), random))
    return way


def use(place: Path, random: Random) -> None:  # noqa: ARG001 - as of every kind
    """Resolves the settings, once more what comes out, and segments a frame with them."""
    from cleanplate.frames import Frame
    from cleanplate.setting_trees import parse_assignments, read_settings_file
    from cleanplate.settings import resolve, resolve_closed

    way = (place / "way").read_text()
    if way == "file":
        tree = read_settings_file(place / "settings.yaml")
    elif way == "texts":
        tree = parse_assignments(_texts(_made[place]))
    else:
        tree = _made[place]
    settings = resolve_closed(tree) if way == "closed" else resolve(tree)
    assert way == "closed" or resolve(settings.as_tree()) == settings
    frames = [Frame(i, i + 1, i / 25, each) for i, each in enumerate(paint_frames()[:3])]
    scene = _scene((place / "seeds").read_text())
    assert len(list(scene.segment(frames, segmentation=settings.segmentation))) == len(frames)


@lru_cache(maxsize=1)
def _scene(seeds: str) -> Any:
    import cleanplate

    return cleanplate.load(Path(seeds) / "scene", device="cpu")


def _write(place: Path, tree: Any, random: Random) -> None:
    try:
        text = yaml.dump(
            tree, Dumper=DUMPER, sort_keys=False, default_flow_style=random.random() < 0.2
        )
    except (ValueError, RecursionError):
        text = "a: " + "[" * 5000
    (place / "settings.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")


def _texts(tree: Any) -> list[str]:
    """The tree as texts of the command line."""
    texts = []
    waiting: list[tuple[str, Any]] = [("", tree)]
    while waiting and len(texts) < 200:
        path, value = waiting.pop()
        # A tree may hold itself.
        if isinstance(value, dict) and value and len(value) < 100 and len(path) < _LONGEST_PATH:
            waiting += [
                (f"{path}.{key}" if path else str(key), each) for key, each in value.items()
            ]
        else:
            texts.append(f"{path}={_text(value)}")
    return texts


def _text(value: Any) -> str:
    try:
        return str(value)
    except (ValueError, RecursionError):
        return "9" * 5000
