"""The commands, each imported only when it is called."""

from __future__ import annotations

from cyclopts import App

from cleanplate._version import __version__

app = App(
    name="cleanplate",
    help="Learns the empty scene of a fixed camera and segments everything else.",
    version=f"cleanplate {__version__}",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # else the sentence on how to go on is missing
)

_COMMANDS = {
    "learn": ("learn:learn", "Learn the empty scene of a fixed camera from its own frames."),
    "segment": ("segment:segment", "Cut the foreground out of every frame."),
    "score": ("score:score", "Score masks against truth by CDnet's rules."),
    "plate": ("plate:plate", "Write the empty scene as one still picture."),
    "score-plate": ("score:score_plate", "Score a plate against the true empty scene."),
    "bench": ("bench:bench", "Measure methods and peers on sequences with truth."),
    "export": ("export:export", "Write the network of a learned scene as an ONNX file."),
    "methods": ("methods:methods", "List the methods, or the settings of one."),
    "report": ("report:report", "Write one self-contained page about a learned scene."),
    "demo": ("demo:demo", "Paint a scene of a kind, learn it, segment it, score it, report it."),
    "doctor": ("doctor:doctor", "Check this installation."),
}

_DATASET_COMMANDS = {
    "list": ("datasets:list_datasets", "List the data sets with their forms, terms and papers."),
    "fetch": ("datasets:fetch", "Download a data set and unpack it."),
    "paint": ("datasets:paint", "Paint scenes of several kinds with exact truth."),
    "check": ("datasets:check", "Check a tree: frames, sizes, labels, plates, checksums."),
}

for _name, (_target, _help) in _COMMANDS.items():
    app.command(f"cleanplate.cli.commands.{_target}", name=_name, help=_help)
_datasets = App(name="datasets", help="List, fetch, paint and check data sets with truth.")
for _name, (_target, _help) in _DATASET_COMMANDS.items():
    _datasets.command(f"cleanplate.cli.commands.{_target}", name=_name, help=_help)
app.command(_datasets)
