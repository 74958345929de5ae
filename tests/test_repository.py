"""Promises of the repository that no single module can keep."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "cleanplate"

MAY_STEP = {
    "training/loop.py",
    # DCGAN finds the codes of a frame by descent, while it segments too: no training loop there.
    "architectures/dcgan.py",
}
MAX_LINES = 400
MAX_MODULES = 15


def source_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def inside_package(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def requirements() -> list[Requirement]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)
    project = settings["project"]
    groups = [
        settings["build-system"]["requires"],
        project["dependencies"],
        *project["optional-dependencies"].values(),
    ]
    return [Requirement(text) for group in groups for text in group]


def repository_files() -> list[Path]:
    """Files that are, or would be, committed."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_the_citation_can_be_read_and_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    required = {"cff-version", "message", "title", "authors", "type", "license", "version"}
    assert required <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert citation["license"] == "Apache-2.0"
    version = re.search(r'__version__ = "(.+)"', (PACKAGE / "_version.py").read_text("utf-8"))
    assert version is not None
    assert citation["version"] == version[1]


def test_every_reference_of_the_citation_has_its_required_keys() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year"} <= reference.keys(), reference


def test_constraints_bring_exactly_one_cv2() -> None:
    assert [name for name in pins() if name.startswith("opencv")] == [
        "opencv-contrib-python-headless"
    ]


def test_constraints_pin_torch_for_every_build_and_bring_no_cuda() -> None:
    assert pins()["torch"] == "2.13.0"
    unwanted = re.compile(r"nvidia|cuda|triton|torchvision|torchaudio|torchcodec|piq")
    assert [name for name in pins() if unwanted.match(name)] == []


@pytest.mark.parametrize("requirement", requirements(), ids=lambda requirement: requirement.name)
def test_every_dependency_is_pinned_within_its_range(requirement: Requirement) -> None:
    pinned = pins().get(canonicalize_name(requirement.name))
    assert pinned is not None, f"{requirement.name} has no pin: run `make constraints`"
    assert requirement.specifier.contains(pinned, prereleases=True)


def test_the_changelog_has_an_unreleased_section() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    assert "## [Unreleased]" in lines


def test_no_file_names_a_folder_of_one_machine() -> None:
    folders = "|".join(["home", "work", "root", "Users"])
    machine_path = re.compile(rf"(?<![\w.~-])/(?:{folders})/[\w.]")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in repository_files()
        for match in machine_path.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


def test_only_the_training_loop_calls_backward_and_step() -> None:
    found = [
        f"{inside_package(path)}:{call.lineno}"
        for path in source_files()
        if inside_package(path) not in MAY_STEP
        for call in calls(path)
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"backward", "step"}
    ]
    assert found == []


def test_only_the_command_line_prints() -> None:
    found = [
        f"{inside_package(path)}:{call.lineno}"
        for path in source_files()
        if inside_package(path).split("/")[0] not in {"cli", "cli.py"}
        for call in calls(path)
        if isinstance(call.func, ast.Name) and call.func.id == "print"
    ]
    assert found == []


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "helpers", "common", "misc"}
    # A package of that name is as bad as a module, so every part of the path counts.
    found = [
        inside_package(path)
        for path in source_files()
        if drawers & set(path.relative_to(PACKAGE).with_suffix("").parts)
    ]
    assert found == []


def test_no_source_file_is_too_long_to_read() -> None:
    lengths = {
        inside_package(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in source_files()
    }
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_no_folder_of_the_package_is_too_full_to_look_through() -> None:
    counts = Counter(path.parent for path in source_files() if path.name != "__init__.py")
    full = {folder.name for folder, count in counts.items() if count > MAX_MODULES}
    assert full == {"architectures"}  # a file for each method


def test_every_test_module_has_a_name_of_its_own() -> None:
    """Test folders are no packages: pytest refuses the second of two modules of one name."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))


PRIVATE_WORDS = re.compile(
    r"\b(whoever|somebody|nobody|anybody|told of|who rests)\b", re.IGNORECASE
)
"""A program has objects, processes and users; it is never told of somebody."""


def test_the_sources_are_written_in_plain_words() -> None:
    assert PRIVATE_WORDS.search("Nobody is told of it")
    found = {
        f"{inside_package(path)}:{number}"
        for path in source_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if PRIVATE_WORDS.search(line)
    }
    assert found == set()


def test_no_two_public_classes_have_the_same_name() -> None:
    """A name that a reader has met means the same everywhere."""
    places: dict[str, list[str]] = {}
    for path in source_files():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(inside_package(path))
    assert len(places) > 200
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def nightly_tests() -> set[str]:
    """Names of the tests of which some or all run every night only."""
    names = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                marks = " ".join(ast.unparse(each) for each in node.decorator_list)
                if re.search(r"some_nightly\(|mark\.(nightly|sweep)\b", marks):
                    names.add(node.name)
    return names


def test_what_runs_every_night_is_listed_with_its_reason() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition("## Tests of every night")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`(test_\w+)`", "\n".join(re.findall(r"^\| (.*?) \|", section, re.M))))
    assert "test_every_method_can_be_exported" in nightly_tests()
    assert listed == nightly_tests()


def test_the_workflow_runs_every_night_what_the_others_leave_out() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert workflow[True]["schedule"]  # YAML reads the key `on` as true
    steps = workflow["jobs"]["nightly"]["steps"]
    assert {"run": "make test-all"} in steps
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^test-all:.*\n\t(.*)$", makefile, re.MULTILINE)
    assert all(option in recipe for option in ("--runslow", "--runnightly", "--runsweep"))
