"""Mutations of bytes, of trees of plain values, and of files in a folder."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import yaml

DUMPER = getattr(yaml, "CDumper", yaml.Dumper)
LOADER = yaml.SafeLoader  # that in C dies of deep nesting
_WORDS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 30, 1_000_000_000)
_LARGE_FILE = 3 << 30


def hostile(random: Random) -> Any:
    """A value that nobody expects."""
    return random.choice(_HOSTILE)()


_HOSTILE: tuple[Callable[[], Any], ...] = (
    *(lambda value=value: value for value in (None, True, False, 0, -1, 1, 2, 7, 255, 1000, -3)),
    *(lambda value=value: value for value in (2**31, 2**32, 2**63 - 1, 2**63, 2**64, -(2**70))),
    *(lambda value=value: value for value in (10**9, 10**12, 10**30, 10**400, 3 << 5000)),
    *(lambda value=value: value for value in (0.5, 1e-300, 1e9, 1e30, 1e308, -1e308, 1e400)),
    *(lambda value=value: value for value in (float("nan"), float("inf"), float("-inf"))),
    *(lambda value=value: value for value in ("", "x", "auto", "nan", "1e400", "off", "1" * 5000)),
    *(lambda value=value: value for value in ("../../etc/passwd", "/dev/zero", "\x1b[31m", "\0")),
    *(lambda value=value: value for value in ("\ud800", "\u202e", "é" * 300, "2001-01-01", "<<")),
    *(lambda value=value: value for value in ("[red]", "{0}", "%s", "a\nb", "cuda:99", "1steps")),
    lambda: "x" * 1_000_000,
    list,
    dict,
    lambda: [1, 2, 3],
    lambda: [[[]]],
    lambda: {"a": {"b": 1}},
    lambda: {"": None},
    lambda: [0] * 20_000,
    lambda: {str(each): each for each in range(300)},
    lambda: nested(60),
    lambda: nested(5000),
)


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def mutate_tree(tree: Any, random: Random) -> Any:
    """The tree with one of its values changed; it may be another object."""
    places = [((), tree)]
    for path, value in places:
        if len(places) > 400:
            break
        children = value.items() if isinstance(value, dict) else enumerate_of(value)
        places += [((*path, key), child) for key, child in children]
    path, value = random.choice(places)
    if not path:
        return hostile(random) if random.random() < 0.1 else _changed_inside(tree, random)
    owner = tree
    for key in path[:-1]:
        owner = owner[key]
    _change(owner, path[-1], value, random, random.choice(places)[1])
    return tree


def enumerate_of(value: Any) -> Any:
    """Children of a list with their places; none of anything else."""
    return enumerate(value) if isinstance(value, list) else ()


def _changed_inside(tree: Any, random: Random) -> Any:
    if isinstance(tree, dict):
        tree[random.choice(["", "x", "format", 5, "a" * 10_000, "\x1b"])] = hostile(random)
    elif isinstance(tree, list):
        tree.append(hostile(random))
    return tree


def _change(owner: Any, key: Any, value: Any, random: Random, other: Any) -> None:
    how = random.randrange(8)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if how == 0 and isinstance(owner, dict):
        del owner[key]
    elif how == 1 and isinstance(owner, dict):
        owner[random.choice([f"{key}x", str(key).upper(), 5, ""])] = owner.pop(key)
    elif how == 2:
        owner[key] = other  # perhaps what it is in itself
    elif how == 3 and is_number:
        owner[key] = random.choice(
            [
                -value,
                value * 1_000_000,
                value + 1,
                value // 7,
                f"{value:x}" if isinstance(value, int) else str(value),
            ]
        )
    elif how == 4:
        owner[key] = [value]
    elif how == 5 and isinstance(owner, list):
        owner.insert(key, value)
    else:
        owner[key] = hostile(random)


def mutate_bytes(content: bytes, random: Random) -> bytes:
    """Content with some of its bytes changed, cut, added or repeated."""
    data = bytearray(content or b"\0")
    for _ in range(random.choice([1, 1, 2, 4, 16])):
        at = (
            random.randrange(len(data))
            if random.random() < 0.6
            else random.randrange(min(64, len(data)))
        )
        length = random.choice([1, 1, 2, 4, 8, 64, 1000])
        match random.randrange(8):
            case 0 | 1:
                data[at] ^= 1 << random.randrange(8)
            case 2:
                data[at : at + length] = random.randbytes(length)
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length]
            case 5:
                word = random.choice(_WORDS)
                data[at : at + 4] = struct.pack(random.choice("<>") + "I", word)
            case 6:
                data[at:at] = random.choice([b"\0", b"\xff", b"\n", b"{", b"[", b'"']) * length
            case 7 if random.random() < 0.3:
                del data[at:]
        data = data or bytearray(b"\0")
    return bytes(data)


def mutate_text(content: bytes, random: Random) -> bytes:
    """A text in YAML or JSON with something in it that readers stumble over."""
    whole = random.random()
    if whole < 0.04:
        return content.decode("utf-8", "replace").encode("utf-16")
    if whole < 0.08:
        return b"---\n".join([content] * 2)
    if whole < 0.1:
        return b"{" * 100_000
    lines = content.split(b"\n")
    at = random.randrange(len(lines))
    lines[at : at + random.choice([0, 1])] = random.choice(_TEXTS)(lines[at], random)
    return b"\n".join(lines)


_LAUGHS = [b"a: &a [x,x,x,x,x,x,x,x,x]"] + [
    b"%c: &%c [%s]" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefghi"
]
_TEXTS: tuple[Callable[[bytes, Random], list[bytes]], ...] = (
    lambda line, random: [line] * random.choice([2, 100, 5000]),
    lambda *_: _LAUGHS,
    lambda line, _: [line + b" !!python/object/apply:os.system [id]"],
    lambda _, random: [b"x: " + b"[" * random.choice([50, 1000, 100_000])],
    lambda _, random: [b"x: " + b"9" * random.choice([20, 5000, 100_000])],
    lambda *_: [b"<<: {a: 1}"],
    lambda line, random: [line + random.choice([b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[2J"])],
    lambda _, random: [random.choice([b"? [a, b]\n: 1", b"x: !!binary aaaa", b"x: !!set {a}"])],
    lambda _, random: [
        random.choice([b"x: 0x" + b"f" * 9000, b"x: 1" + b":59" * 9000, b"x: 1e400"])
    ],
    lambda line, random: [
        line.replace(b": ", random.choice([b":", b": *", b": &x ", b": !x ", b": -"]))
    ],
)


def mutate_png(content: bytes, random: Random) -> bytes:
    """A PNG whose header lies, with a checksum that is right."""
    fields = bytearray(content[16:29])
    match random.randrange(4):
        case 0:
            side = random.choice([0, 1, 16, 1000, 65535, 1_000_000, 0x7FFFFFFF])
            at = random.choice([0, 4])
            fields[at : at + 4] = struct.pack(">I", side)
        case 1:
            fields[0:8] = struct.pack(">II", 30_000, 30_000)
        case 2:
            fields[8] = random.choice([1, 2, 4, 8, 16, 99])
        case 3:
            fields[9] = random.choice([0, 2, 3, 4, 6, 77])
    checksum = struct.pack(">I", zlib.crc32(b"IHDR" + bytes(fields[:13])))
    return content[:16] + bytes(fields[:13]) + checksum + content[33:]


def mutate_folder(folder: Path, random: Random) -> str:
    """Something else in the place of a file of a folder; says what."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path, other = random.choice(files), random.choice(files)
    names = ("missing", "swapped", "empty", "folder", "fifo", "link out", "link to a device")
    names = (*names, "link in a circle", "link inside", "sparse", "socket", "added", "dangling")
    how = random.choice(names)
    if how == "swapped":
        mine, yours = path.read_bytes(), other.read_bytes()
        path.write_bytes(yours)
        other.write_bytes(mine)
        return f"{path.name} swapped with {other.name}"
    if how == "added":
        added = random.choice(["x.pkl", "x.pt", "samples/x.bin", "a\x1b.pkl", "x" * 200])
        (folder / added).parent.mkdir(exist_ok=True)
        (folder / added).write_bytes(b"\x80\x04.")
        return f"{added!r} added"
    content = path.read_bytes()
    path.unlink()
    _replace(path, how, content, folder, random)
    return f"{path.name}: {how}"


def _replace(path: Path, how: str, content: bytes, folder: Path, random: Random) -> None:
    match how:
        case "empty":
            path.touch()
        case "folder":
            path.mkdir()
            (path / "x").touch()
        case "fifo" | "socket":
            os.mkfifo(path)
        case "link out":
            outside = folder.parent / f"outside-{path.name}"
            outside.write_bytes(content)
            path.symlink_to(outside)
        case "link to a device":
            path.symlink_to(random.choice(["/dev/zero", "/dev/stdin", "/proc/self/mem", "/"]))
        case "link in a circle":
            path.symlink_to(path)
        case "link inside":
            inside = path.with_name(f"{path.name}.inside")
            inside.write_bytes(content)
            path.symlink_to(inside.name)
        case "sparse":
            with path.open("wb") as file:
                file.write(content)
                file.truncate(random.choice([_LARGE_FILE, 64 << 20, 1 << 40]))
        case "dangling":
            path.symlink_to("nowhere")
