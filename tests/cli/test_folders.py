"""Nothing of the user's is ever deleted or written through, whatever has our names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import pytest
from calls import CommandLine, files_of

from cleanplate import LearnOptions, learn, load
from cleanplate.errors import OutputError

FAST = ("--method", "median")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What a link may point to; `is_untouched` looks at it."""
    folder = tmp_path / "home"
    for name in ("letter.txt", "frames/1.raw", "state.json", "index.json", "bin000001.png"):
        mine(folder / name)
    return folder


def mine(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    return path


def is_untouched(home: Path) -> bool:
    names = {"letter.txt", "frames/1.raw", "state.json", "index.json", "bin000001.png"}
    assert set(files_of(home)) == names
    return all(path.read_text() == "mine" for path in home.rglob("*") if path.is_file())


class TestLearn:
    @pytest.mark.parametrize("options", [(), ("--resume",), ("--overwrite",)])
    @pytest.mark.parametrize(
        "name",
        [
            "checkpoint/frames/frames-1.raw",
            "checkpoint/frames/frames-abcd1234.raw",
            "checkpoint/state.json",
            "checkpoint/begun.json",
            "checkpoint/asked.json",
            "checkpoint/step-00000001.safetensors",
            "checkpoint/best.ckpt",
            "config.yaml",
            "metrics.jsonl",
            "report.html",
            "plate.png.partial",
            "plate.png/1.txt",
            "samples/index.json",
            "tensorboard/events.out.tfevents.1",
            ".new/config.yaml",
            ".new.partial/plate.png",
            ".lock",
            "samples",
        ],
    )
    def test_files_of_the_user_under_our_names_stay(
        self,
        cleanplate: CommandLine,
        recording: Path,
        tmp_path: Path,
        name: str,
        options: tuple[str, ...],
    ) -> None:
        path = mine(tmp_path / "out" / name)
        outcome = cleanplate("learn", recording, "--out", tmp_path / "out", *FAST, *options)
        assert path.read_text() == "mine"
        if outcome.code != 0:
            assert outcome.err.count("\n") == 1
            assert set(files_of(tmp_path / "out")) == {name}

    @pytest.mark.parametrize("options", [(), ("--resume",), ("--overwrite",)])
    @pytest.mark.parametrize(
        "name", ["checkpoint", "samples", "tensorboard", ".new", ".new.partial", "plate.png"]
    )
    @pytest.mark.parametrize("has_scene", [True, False])
    def test_links_are_not_followed(
        self,
        cleanplate: CommandLine,
        recording: Path,
        scene: Path,
        home: Path,
        name: str,
        options: tuple[str, ...],
        has_scene: bool,
    ) -> None:
        out = scene if has_scene else scene.parent / "out"
        out.mkdir(exist_ok=True)
        if (out / name).is_dir():
            shutil.rmtree(out / name)
        (out / name).unlink(missing_ok=True)
        (out / name).symlink_to(home)
        cleanplate("learn", recording, "--out", out, *FAST, *options)
        assert is_untouched(home)

    def test_a_planted_partial_file_is_not_written_through(
        self, cleanplate: CommandLine, recording: Path, scene: Path, home: Path
    ) -> None:
        for name in ("plate.png", "config.yaml", "model.safetensors"):
            for planted in (f"{name}.partial", f".{name}.partial"):
                (scene / planted).symlink_to(home / "letter.txt")
        assert cleanplate("learn", recording, "--out", scene, *FAST, "--overwrite").code == 0
        assert is_untouched(home)
        assert (scene / "plate.png.partial").is_symlink()

    def test_links_for_files_are_replaced_when_overwriting(
        self, cleanplate: CommandLine, recording: Path, scene: Path, home: Path
    ) -> None:
        for name in ("plate.png", "provenance.json", "report.html", "model.onnx"):
            (scene / name).unlink(missing_ok=True)
            (scene / name).symlink_to(home / "letter.txt")
        assert cleanplate("learn", recording, "--out", scene, *FAST, "--overwrite").code == 0
        assert is_untouched(home)
        assert not (scene / "plate.png").is_symlink()

    def test_a_link_given_as_out_is_followed(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "big disk").mkdir()
        (tmp_path / "out").symlink_to(tmp_path / "big disk")
        for options in ((), ("--resume",), ("--overwrite",)):
            outcome = cleanplate("learn", recording, "--out", tmp_path / "out", *FAST, *options)
            assert outcome.code == 0
        assert (tmp_path / "out").is_symlink()
        assert (tmp_path / "big disk" / "config.yaml").is_file()

    @pytest.mark.parametrize("kind", ["file", "dangling", "loop", "below"])
    def test_an_out_that_is_no_folder_is_refused(
        self, cleanplate: CommandLine, recording: Path, tmp_path: Path, kind: str
    ) -> None:
        out = tmp_path / "out"
        if kind in ("file", "below"):
            mine(out)
        else:
            out.symlink_to(out if kind == "loop" else tmp_path / "nothing")
        place = out / "scene" if kind == "below" else out
        for options in ((), ("--resume",), ("--overwrite",)):
            outcome = cleanplate("learn", recording, "--out", place, *FAST, *options)
            assert outcome.is_refused_with("out", code=1)
        assert os.path.lexists(out)
        assert not (tmp_path / "nothing").exists()

    @pytest.mark.parametrize("options", [(), ("--resume",), ("--overwrite",)])
    @pytest.mark.parametrize("inside", [".", "samples"])
    def test_the_recording_itself_is_no_place_for_its_scene(
        self,
        cleanplate: CommandLine,
        recording: Path,
        tmp_path: Path,
        options: tuple[str, ...],
        inside: str,
    ) -> None:
        out = tmp_path / "out"
        frames = Path(shutil.copytree(recording, out / inside))
        before = files_of(out)
        outcome = cleanplate("learn", frames, "--out", out, *FAST, *options)
        assert outcome.is_refused_with("out", code=1)
        assert files_of(out) == before

    def test_what_somebody_keeps_beside_a_scene_stays(
        self, cleanplate: CommandLine, recording: Path, scene: Path
    ) -> None:
        for name in ("notes.txt", "samples/notes.txt", "checkpoint/best.ckpt", "mine/plate.png"):
            mine(scene / name)
        assert cleanplate("learn", recording, "--out", scene, *FAST, "--overwrite").code == 0
        for name in ("notes.txt", "samples/notes.txt", "checkpoint/best.ckpt", "mine/plate.png"):
            assert (scene / name).read_text() == "mine"

    def test_what_was_made_of_the_scene_before_goes_with_it(
        self, cleanplate: CommandLine, recording: Path, scene: Path
    ) -> None:
        (scene / "report.html").write_text("of the old scene")
        outcome = cleanplate(
            *("learn", recording, "--out", scene, *FAST, "--overwrite", "--no-samples")
        )
        assert outcome.code == 0
        assert not (scene / "report.html").exists()
        assert not (scene / "samples").exists()

    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
    def test_a_folder_that_may_not_be_written_is_told(
        self, cleanplate: CommandLine, recording: Path, scene: Path
    ) -> None:
        scene.chmod(0o500)
        for options in ((), ("--resume",), ("--overwrite",)):
            outcome = cleanplate("learn", recording, "--out", scene, *FAST, *options)
            assert outcome.is_refused_with("Permission denied", code=1)

    def test_saving_over_something_else_is_refused(self, scene: Path, tmp_path: Path) -> None:
        path = mine(tmp_path / "mine" / "config.yaml")
        with pytest.raises(OutputError, match=r"holds config\.yaml, but no scene"):
            load(scene).save(tmp_path / "mine")
        assert files_of(tmp_path / "mine").keys() == {"config.yaml"}
        assert path.read_text() == "mine"

    def test_an_interrupt_leaves_the_old_scene(self, recording: Path, scene: Path) -> None:
        def interrupt(stage: str, *_: object) -> None:
            if stage == "learning":
                raise KeyboardInterrupt

        before = files_of(scene)
        settings = {"budget": "5steps", "seed": 3}
        options = LearnOptions(overwrite=True)
        with pytest.raises(KeyboardInterrupt):
            learn(recording, out=scene, settings=settings, options=options, progress=interrupt)
        after = files_of(scene)
        assert {name: after[name] for name in before} == before
        learn(recording, out=scene, settings=settings, options=LearnOptions(resume=True))
        assert load(scene).settings.general.seed == 3
        assert not (scene / "checkpoint").exists()


class TestSegment:
    @pytest.fixture
    def arguments(self, recording: Path, scene: Path, tmp_path: Path) -> tuple[object, ...]:
        return ("segment", recording, "--model", scene, "--out", tmp_path / "masks", "--labels")

    @pytest.mark.parametrize("options", [(), ("--resume",), ("--overwrite",)])
    @pytest.mark.parametrize("name", ["labels", ".new", ".new.partial", ".lock"])
    def test_links_are_not_followed(
        self,
        cleanplate: CommandLine,
        arguments: tuple[object, ...],
        tmp_path: Path,
        home: Path,
        name: str,
        options: tuple[str, ...],
    ) -> None:
        (tmp_path / "masks").mkdir()
        (tmp_path / "masks" / name).symlink_to(home)
        mine(tmp_path / "masks" / "bin000001.png")
        assert cleanplate(*arguments, *options).code == 1
        assert is_untouched(home)
        assert (tmp_path / "masks" / "bin000001.png").read_text() == "mine"

    def test_links_for_masks_are_replaced(
        self, cleanplate: CommandLine, arguments: tuple[object, ...], tmp_path: Path, home: Path
    ) -> None:
        (tmp_path / "masks").mkdir()
        for name in ("bin000001.png", ".bin000002.png.partial"):
            (tmp_path / "masks" / name).symlink_to(home / "letter.txt")
        assert cleanplate(*arguments, "--overwrite").code == 0
        assert is_untouched(home)
        assert not (tmp_path / "masks" / "bin000001.png").is_symlink()

    def test_a_refusal_after_the_masks_were_looked_at_costs_none_of_them(
        self, cleanplate: CommandLine, arguments: tuple[object, ...], tmp_path: Path
    ) -> None:
        assert cleanplate(*arguments).code == 0
        before = files_of(tmp_path / "masks")
        mine(tmp_path / "masks" / "labels" / "notes.txt")
        assert cleanplate(*arguments, "--overwrite").is_refused_with("notes.txt", code=1)
        (tmp_path / "masks" / "labels" / "notes.txt").unlink()
        mine(tmp_path / "file")
        outcome = cleanplate(*arguments, "--overwrite", "--objects", tmp_path / "file" / "x.jsonl")
        assert outcome.code == 1
        mine(tmp_path / "masks-scenes" / "000016" / "notes.txt")
        assert files_of(tmp_path / "masks") == before

    def test_killed_while_it_overwrites_the_old_masks_stay_and_resume_ends_it(
        self,
        cleanplate: CommandLine,
        arguments: tuple[object, ...],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert cleanplate(*arguments).code == 0
        masks = tmp_path / "masks"
        before = files_of(masks)
        for path in masks.rglob("*.png"):
            cv2.imwrite(str(path), 255 - cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
        mine(masks / "bin999999.png")
        old = files_of(masks)
        with monkeypatch.context() as patch:
            patch.setattr("cleanplate.video.sink.MaskWriter.write", _stopped_after(20))
            assert cleanplate(*arguments, "--overwrite").code == 130
        after = files_of(masks)
        assert {name: after[name] for name in old} == old
        assert len(after) > len(old)
        assert cleanplate(*arguments).is_refused_with("--resume", code=1)
        outcome = cleanplate(*arguments, "--resume", "--json")
        assert outcome.code == 0
        assert 0 < outcome.json["frames_skipped"] < 30
        assert files_of(masks) == before

    @pytest.mark.parametrize("name", ["film.webm", "objects.jsonl"])
    @pytest.mark.parametrize("kind", ["file", "dangling"])
    def test_links_for_film_and_objects_are_replaced_when_overwriting(
        self,
        cleanplate: CommandLine,
        arguments: tuple[object, ...],
        tmp_path: Path,
        home: Path,
        name: str,
        kind: str,
    ) -> None:
        out = tmp_path / name
        out.symlink_to(home / ("letter.txt" if kind == "file" else "nothing"))
        option = "--overlay" if name == "film.webm" else "--objects"
        assert cleanplate(*arguments, option, out).is_refused_with("in the way", code=1)
        assert cleanplate(*arguments, option, out, "--overwrite").code == 0
        assert is_untouched(home)
        assert not out.is_symlink()

    def test_objects_appear_whole_or_not_at_all(
        self,
        cleanplate: CommandLine,
        arguments: tuple[object, ...],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        objects = mine(tmp_path / "objects.jsonl")
        with monkeypatch.context() as patch:
            patch.setattr("cleanplate.video.sink.MaskWriter.write", _stopped_after(5))
            assert cleanplate(*arguments, "--objects", objects, "--overwrite").code == 130
        assert objects.read_text() == "mine"
        assert not list(tmp_path.glob(".cleanplate-*"))

    def test_the_recording_is_never_an_output(
        self, cleanplate: CommandLine, recording: Path, scene: Path, tmp_path: Path
    ) -> None:
        frames = Path(shutil.copytree(recording, tmp_path / "frames"))
        masks = tmp_path / "masks"
        masks.mkdir()
        for path in sorted(frames.iterdir()):
            shutil.copy(path, masks / f"bin{path.stem[-6:]}.png")
        before = files_of(tmp_path)
        for source in (masks, f"{masks}/*.png", masks / "bin000001.png"):
            outcome = cleanplate("segment", source, "--model", scene, "--out", masks, "--overwrite")
            assert outcome.is_refused_with("the recording", code=2)
        first = sorted(frames.iterdir())[0]
        outcome = cleanplate("plate", frames, "--out", first, "--overwrite")
        assert outcome.is_refused_with("the recording", code=2)
        assert files_of(tmp_path) == before

    def test_a_folder_that_another_process_writes_into_is_refused(
        self, cleanplate: CommandLine, arguments: tuple[object, ...], tmp_path: Path
    ) -> None:
        from cleanplate.writing import locked

        with locked(tmp_path / "masks", busy="", what=""):
            outcome = cleanplate(*arguments, "--overwrite")
            assert outcome.is_refused_with("another process writes into", code=1)
        assert cleanplate(*arguments).code == 0
        assert not (tmp_path / "masks" / ".lock").exists()


def _stopped_after(count: int) -> object:
    from cleanplate.video import MaskWriter

    write = MaskWriter.write
    written = 0

    def stopped(self: MaskWriter, number: int, mask: object) -> None:
        nonlocal written
        written += 1
        if written > count:
            raise KeyboardInterrupt
        write(self, number, mask)  # type: ignore[arg-type]

    return stopped


class TestFiles:
    @pytest.mark.parametrize("kind", ["file", "dangling"])
    def test_links_for_plates_and_reports_are_replaced_when_overwriting(
        self, cleanplate: CommandLine, recording: Path, scene: Path, home: Path, kind: str
    ) -> None:
        target = home / ("letter.txt" if kind == "file" else "nothing")
        for name, command in (
            ("plate.jpg", ("plate", recording, "--how", "median", "--out")),
            ("report.html", ("report", scene, "--out")),
        ):
            out = scene.parent / name
            out.symlink_to(target)
            assert cleanplate(*command, out).is_refused_with("in the way", code=1)
            assert cleanplate(*command, out, "--overwrite").code == 0
            assert not out.is_symlink()
        assert is_untouched(home)


class TestDemo:
    SHORT = ("--seconds", "2", "--method", "median")

    @pytest.mark.parametrize(
        "name",
        [
            "sequence/input/in000001.jpg",
            "sequence/notes.txt",
            "masks/bin000001.png",
            "scene/config.yaml",
            "crossroads.avi",
            "report.html",
        ],
    )
    @pytest.mark.parametrize("options", [(), ("--overwrite",)])
    def test_what_is_of_no_demo_stays(
        self, cleanplate: CommandLine, tmp_path: Path, name: str, options: tuple[str, ...]
    ) -> None:
        path = mine(tmp_path / "out" / name)
        outcome = cleanplate("demo", "--out", tmp_path / "out", *self.SHORT, *options)
        assert outcome.is_refused_with("out holds", code=1)
        assert path.read_text() == "mine"
        assert set(files_of(tmp_path / "out")) == {name}

    @pytest.mark.slow
    def test_one_is_replaced_by_another_but_nothing_else_is(
        self, cleanplate: CommandLine, tmp_path: Path, home: Path
    ) -> None:
        out = tmp_path / "out"
        call = ("demo", "--out", out, *self.SHORT)
        assert cleanplate(*call).code == 0
        mine(out / "notes.txt")
        (out / "crossroads.avi").unlink()
        (out / "crossroads.avi").symlink_to(home / "letter.txt")
        assert cleanplate(*call, "--overwrite").code == 0
        assert (out / "notes.txt").read_text() == "mine"
        assert not (out / "crossroads.avi").is_symlink()
        for name in ("sequence", "masks", "scene"):
            shutil.rmtree(out / name)
            (out / name).symlink_to(home)
            assert cleanplate(*call, "--overwrite").is_refused_with("is a link", code=1)
            (out / name).unlink()
            (out / name).mkdir()
        assert is_untouched(home)
