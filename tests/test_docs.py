"""What the pages say is what the program does: names, options, settings, links and examples."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import cyclopts
import numpy as np
import pytest

import cleanplate.architectures
import cleanplate.datasets.registry
from cleanplate import learn
from cleanplate.cli.app import app
from cleanplate.cli.commands.methods import setting_rows
from cleanplate.cli.main import run
from cleanplate.datasets import open_sequence
from cleanplate.evaluation import score_masks
from cleanplate.settings import GeneralSettings, known_methods, resolve
from scenes import paint_scene, write_image_folder

ROOT = Path(__file__).resolve().parents[1]
COMMANDS_PAGE = ROOT / "docs" / "commands.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
TUTORIAL = ROOT / "docs" / "tutorial.md"
ADDING = ROOT / "docs" / "adding-an-architecture.md"
ADDING_DATASET = ROOT / "docs" / "adding-a-dataset.md"
README = ROOT / "README.md"


def commands(group: cyclopts.App, prefix: str = "") -> Iterator[tuple[str, cyclopts.App]]:
    """Each command with its name, `datasets list` for one of a group."""
    for name in group:
        if not name.startswith("-"):
            inner = list(commands(group[name], f"{prefix}{name} "))
            yield from inner or [(prefix + name, group[name])]


COMMANDS = dict(commands(app))
COMMON = {"--json", "--quiet", "--verbose", "--debug"}
GROUPS = ("sampling", "model", "objective", "training", "segmentation")
NO_SETTINGS = {"model.onnx", "model.safetensors", "segmentation.KEY", "training.jpg"}
ESCAPED_BAR = r"\|"
SHELL = {"sh", "shell", "bash", "console"}


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def pages() -> list[Path]:
    """Markdown files that are, or would be, committed."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def blocks(page: Path, *languages: str) -> list[str]:
    """Fenced blocks of a page in one of these languages."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def without_blocks(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)


def section(page: Path, *path: str) -> str:
    """What stands on a page under a heading, given with those above it."""
    text = read(page)
    for level, heading in enumerate(path, start=2):
        pattern = rf"^{'#' * level} {re.escape(heading)}\n(.*?)(?=^#{{2,{level}}} |\Z)"
        match = re.search(pattern, text, re.MULTILINE | re.DOTALL)
        assert match is not None, f"{page.name} lacks the heading '{' / '.join(path)}'"
        text = match[1]
    return text


def headings(text: str, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", text, re.MULTILINE)


def first_cells(text: str) -> set[str]:
    """Names in backticks in the first column of the tables of a section."""
    rows = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def command_lines(page: Path) -> Iterator[list[str]]:
    """Words of each call of cleanplate in the shell blocks of a page."""
    for block in blocks(page, *SHELL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            name = Path(words[0]).name if words else ""
            if name == "cleanplate":
                yield words[1:]


def test_readme_is_read_in_five_minutes() -> None:
    assert len(read(README).split()) <= 900


PRIVATE = re.compile(
    r"\b(who|whom|whoever|somebody|nobody|everybody|beside|mended|told of|tried and not kept)\b",
    re.I,
)
"""Words that the pages use for what the field names otherwise, or for a diary."""
IN_PLAIN_ENGLISH = (
    README,
    ROOT / "ARCHITECTURE.md",
    *(page for page in (ROOT / "docs").glob("*.md") if page.name != "benchmarks.md"),
    *(ROOT / "docs" / "how-to").glob("*.md"),
)


@pytest.mark.parametrize(
    "page", IN_PLAIN_ENGLISH, ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_pages_are_in_plain_english(page: Path) -> None:
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)", "", without_blocks(page))
    # Rows of settings are those of the program.
    lines = [line for line in prose.splitlines() if page != SETTINGS_PAGE or line[:1] != "|"]
    assert PRIVATE.findall("\n".join(lines)) == []


DIARY = re.compile(
    r"\b(also tried|tried (?:here|and)|(?:added|came) later|later still|given up|we tried"
    r"|first version|as it is today)\b",
    re.IGNORECASE,
)
"""Sentences that tell how a thing came to be in place of what it is."""


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_is_a_diary(page: Path) -> None:
    assert DIARY.findall(" ".join(without_blocks(page).split())) == []


# Commands and their options


def test_the_page_of_commands_has_a_section_for_each_and_no_other() -> None:
    assert headings(read(COMMANDS_PAGE), 2)[1:] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_all_its_options_and_no_other_on_their_page(command: str) -> None:
    expected = set()
    for argument in COMMANDS[command].assemble_argument_collection():
        if not argument.show or set(argument.names) <= COMMON:
            continue
        is_positional = argument.field_info.kind is argument.field_info.POSITIONAL_OR_KEYWORD
        names = argument.names
        expected |= {names[0].lstrip("-").upper()} if is_positional else set(names)
    assert first_cells(section(COMMANDS_PAGE, command)) == expected


def test_the_options_of_every_command_are_on_their_page() -> None:
    assert first_cells(section(COMMANDS_PAGE, "What all commands share")) == COMMON


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_line_on_a_page_can_be_read(page: Path) -> None:
    for words in command_lines(page):
        if words and set(words) & {"--help", "--version"}:
            continue
        try:
            app.parse_args(words, exit_on_error=False, print_error=False)
        except cyclopts.CycloptsError as error:
            pytest.fail(f"cleanplate {shlex.join(words)}: {error}")


# Methods and settings


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("settings_reference")


def row(setting: dict[str, object]) -> str:
    """The line of the page of settings for one of them, as `cleanplate methods` has it."""
    default = setting["default"]
    shown = str(default).lower() if isinstance(default, bool) else default
    cells = (f"`{setting['key']}`", f"`{shown}`", setting["range"], setting["meaning"])
    return f"| {' | '.join(str(cell).replace('|', ESCAPED_BAR) for cell in cells)} |"


def require_rows(text: str, rows: list[dict[str, object]], place: str) -> None:
    lines = set(text.splitlines())
    missing = [line for line in map(row, rows) if line not in lines]
    assert not missing, "\n".join([f"docs/settings.md lacks under '{place}':", *missing])


def own_methods() -> list[str]:
    """Methods of this package, whatever else is installed."""
    foreign = importlib.metadata.entry_points(group=cleanplate.architectures.ENTRY_POINT_GROUP)
    return [name for name in known_methods() if name not in foreign.names]


def all_settings() -> set[str]:
    keys = set(GeneralSettings.model_fields)
    for method in own_methods():
        for group, values in resolve({"method": method}).groups().items():
            keys |= {f"{group}.{name}" for name in type(values).model_fields}
    return keys


def test_the_page_of_settings_has_a_section_for_each_method_and_no_other() -> None:
    assert sorted(headings(section(SETTINGS_PAGE, "Methods"), 3)) == own_methods()


def test_the_general_settings_are_on_their_page() -> None:
    rows = setting_rows("", GeneralSettings())
    require_rows(section(SETTINGS_PAGE, "General"), rows, "General")


@pytest.mark.parametrize("method", own_methods())
def test_all_settings_of_a_method_are_on_their_page(method: str, reference: ModuleType) -> None:
    text = section(SETTINGS_PAGE, "Methods", method)
    summary = known_methods()[method]
    assert summary in text.splitlines(), f"under '{method}' should stand: {summary}"
    settings = resolve({"method": method})
    if not settings.is_baseline:
        assert f"Own budget: `{settings.general.budget}`." in text
        for recipe in settings.architecture().recipes:
            assert f"`{recipe}`" in text
    (named,) = re.findall(r"^Shared \[settings\]\S* (.+)$", text, re.MULTILINE) or [""]
    shared = dict(re.findall(r"`([\w.]+)`(?: \(`([^`]*)`\))?", named))
    usual = {
        setting["key"]: setting
        for setting in setting_rows_of(section(SETTINGS_PAGE, reference.SHARED_SECTION))
    }
    for group, values in settings.groups().items():
        rows = setting_rows(group, values)
        if group in ("model", "objective"):
            told = [line for line in rows if line["key"] in shared]
            require_rows(text, [line for line in rows if line not in told], method)
            for line in told:
                cells = usual[line["key"]]
                default = shared[line["key"]] or cells["default"]
                assert row({**cells, "default": default}) == row(line)
        else:  # the same for all methods, unless a recipe has another default
            require_rows(
                text + section(SETTINGS_PAGE, group.capitalize()), rows, group.capitalize()
            )


def setting_rows_of(text: str) -> list[dict[str, str]]:
    """The settings that a table of the page holds."""
    names = ("key", "default", "range", "meaning")
    lines = re.findall(r"^\| `(.+?)` \| `(.+?)` \| (.+) \| (.+?) \|$", text, re.MULTILINE)
    return [
        dict(zip(names, (cell.replace(ESCAPED_BAR, "|") for cell in line), strict=True))
        for line in lines
    ]


def test_what_networks_share_is_told_once(reference: ModuleType) -> None:
    shared = {row(setting) for setting in reference.shared_settings()}
    assert {"objective.strength", "model.form"} <= {
        setting["key"] for setting in reference.shared_settings()
    }
    assert [line for line in read(SETTINGS_PAGE).splitlines() if line in shared] == sorted(
        shared, key=read(SETTINGS_PAGE).index
    )


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    known = all_settings()
    named = re.findall(rf"`({'|'.join(GROUPS)})\.(\w+)(?:=[^`]*)?`", without_blocks(page))
    in_calls = [
        word.partition("=")[0]
        for words in command_lines(page)
        for word, before in zip(words[1:], words, strict=False)
        if before == "--set"
    ]
    keys = {f"{group}.{key}" for group, key in named if not key.isupper()} | set(in_calls)
    assert keys - known - NO_SETTINGS == set()


# Links and examples


def anchors(page: Path) -> set[str]:
    """Names of the headings of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", without_blocks(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_relative_link_leads_nowhere(page: Path) -> None:
    targets = re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", without_blocks(page))
    targets += re.findall(r"(?:src|href)=\"([^\"]+)\"", without_blocks(page))
    broken = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        path = page.parent / name if name else page
        is_page = path.suffix == ".md" and path.is_file()
        if not path.exists() or (anchor and is_page and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_python_block_can_be_parsed(page: Path) -> None:
    for text in blocks(page, "python"):
        ast.parse(text)


@pytest.mark.parametrize("page", ["python.md", "data-sets.md"])
def test_the_python_examples_of_a_page_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image_folder(tmp_path / "junction", paint_scene(32, 48, 12).frames)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    examples = blocks(ROOT / "docs" / page, "python")
    assert examples
    for text in examples:
        exec(compile(text, page, "exec"), names)
    assert (tmp_path / "scene" / "config.yaml").exists() == (page == "python.md")


@pytest.mark.slow
def test_the_commands_of_the_tutorial_work_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shorter = {"demo": ["--seconds", "3", "--budget", "3steps"], "learn": ["--budget", "3steps"]}
    commands = [words for words in command_lines(TUTORIAL) if words[0] != "doctor"]
    assert [words[0] for words in commands][:3] == ["demo", "learn", "segment"]
    for words in commands:
        given = [word for word in words if word not in ("--seconds", "20")]
        assert run([*given, *shorter.get(words[0], []), "--quiet"]) == 0, words
    for text in blocks(TUTORIAL, "python"):
        exec(compile(text, "tutorial.md", "exec"), {})
    assert (tmp_path / "scene" / "report.html").exists()


def test_the_settings_file_of_the_page_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image_folder(tmp_path / "junction", paint_scene(32, 48, 4).frames)
    monkeypatch.chdir(tmp_path)
    (text,) = blocks(SETTINGS_PAGE, "yaml")
    Path("settings.yaml").write_text(text, encoding="utf-8")
    words = ["learn", "junction", "--out", "scene", "--config", "settings.yaml", "--quiet"]
    assert run([*words, "--budget", "1step"]) == 0
    assert "rank: 12" in Path("scene/config.yaml").read_text(encoding="utf-8")


def test_the_example_of_a_new_data_set_is_found_checked_and_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = blocks(ADDING_DATASET, "python")
    (tmp_path / "yard.py").write_text(example, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    group = cleanplate.datasets.registry.ENTRY_POINT_GROUP
    point = importlib.metadata.EntryPoint("yard", "yard:DATASET", group)
    monkeypatch.setattr(cleanplate.datasets.registry, "entry_points", lambda **_: [point])
    painted = paint_scene(32, 48, 4)
    folder = tmp_path / "data" / "yard_03"
    write_image_folder(folder / "rgb", painted.frames)
    write_image_folder(folder / "fg", np.stack([painted.masks] * 3, axis=-1))
    write_image_folder(tmp_path / "masks", np.stack([painted.masks] * 3, axis=-1))
    sequence = open_sequence(folder)
    assert (sequence.dataset, sequence.name, sequence.numbers) == ("yard", "yard_03", (1, 2, 3, 4))
    assert run(["datasets", "check", str(tmp_path / "data"), "--quiet"]) == 0
    assert score_masks(tmp_path / "masks", sequence).measures.F == 1


def test_the_example_of_a_new_architecture_learns_and_segments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = blocks(ADDING, "python")
    (tmp_path / "light_plate.py").write_text(example, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    point = importlib.metadata.EntryPoint(
        "light_plate", "light_plate:ARCHITECTURE", cleanplate.architectures.ENTRY_POINT_GROUP
    )
    monkeypatch.setattr(cleanplate.architectures, "entry_points", lambda **_: [point])
    recording = write_image_folder(tmp_path / "junction", paint_scene(32, 48, 12).frames)
    learn(recording, out=tmp_path / "scene", method="light_plate", budget="3steps")
    scene = cleanplate.load(tmp_path / "scene", device="cpu")
    results = list(scene.segment(recording))
    assert scene.settings.method == "light_plate"
    assert [result.mask.shape for result in results] == [(32, 48)] * 12
    assert any(result.mask.any() for result in results)
