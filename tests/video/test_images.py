"""Pictures as a recording: order, numbers, formats, and damage that is survived."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from video_samples import COUNT, SIZE, paint, write_folder, write_picture

from cleanplate.errors import SourceError
from cleanplate.frames import Picture
from cleanplate.video import SourceProblems, open_source
from cleanplate.video.orientation import turned_back
from cleanplate.video.pictures import stills
from cleanplate.video.pictures.tiff import ORIENTATION


@pytest.fixture(params=["small", "large"], autouse=True)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large pictures are decoded by threads; here all are taken for large ones."""
    if request.param == "large":
        monkeypatch.setattr(stills, "_LEAST_FOR_THREADS", 0)


def only_picture(folder: Path) -> Picture:
    (frame,) = open_source(folder).frames()
    return frame.picture


def numbers_of(source: str | Path) -> list[int]:
    return [frame.number for frame in open_source(source).frames()]


@pytest.mark.parametrize(
    "suffix", ["jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp", "ppm", "JPG", "PnG"]
)
def test_every_format_is_read_in_any_case(tmp_path: Path, suffix: str) -> None:
    write_picture(tmp_path / f"in1.{suffix}", paint(3))
    difference = np.abs(only_picture(tmp_path).astype(int) - paint(3))
    assert difference.mean() < 8


def test_pictures_come_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 2, 1, 100):
        write_picture(tmp_path / f"shot{number}.png", paint(number))
    frames = list(open_source(tmp_path).frames())
    assert [frame.number for frame in frames] == [1, 2, 10, 100]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert all((frame.picture == paint(frame.number)).all() for frame in frames)


def test_the_number_is_the_last_run_of_digits(tmp_path: Path) -> None:
    for name in ("cam2_000007.png", "cam2_000012_b.png", "cam2_5.png"):
        write_picture(tmp_path / name, paint(0))
    assert numbers_of(tmp_path) == [5, 7, 12]


def test_one_name_without_digits_numbers_all_by_position(tmp_path: Path) -> None:
    for name in ("a10.png", "a9.png", "b.png"):
        write_picture(tmp_path / name, paint(0))
    assert numbers_of(tmp_path) == [1, 2, 3]


def test_two_pictures_of_one_number_are_refused_by_name(tmp_path: Path) -> None:
    write_picture(tmp_path / "left_0004.png", paint(0))
    write_picture(tmp_path / "right_4.png", paint(0))
    with pytest.raises(
        SourceError, match=r"left_0004\.png and .*right_4\.png both have the frame number 4"
    ):
        open_source(tmp_path)


def test_a_pattern_may_reach_into_folders(tmp_path: Path) -> None:
    write_picture(tmp_path / "a" / "1.png", paint(0))
    write_picture(tmp_path / "b" / "2.png", paint(0))
    assert numbers_of(f"{tmp_path}/**/*.png") == [1, 2]


def test_a_folder_whose_name_looks_like_a_pattern_is_a_folder(tmp_path: Path) -> None:
    assert len(numbers_of(write_folder(tmp_path / "cam[1]"))) == COUNT


def test_one_picture_is_a_recording_of_one_frame(tmp_path: Path) -> None:
    assert numbers_of(write_picture(tmp_path / "in000008.png", paint(0))) == [8]


def test_grey_is_repeated_to_three_channels(tmp_path: Path) -> None:
    grey = paint(2)[..., 0]
    write_picture(tmp_path / "in1.png", grey)
    assert (only_picture(tmp_path) == grey[..., None]).all()


def test_a_portable_greymap_is_read(tmp_path: Path) -> None:
    grey = paint(2)[..., 0]
    write_picture(tmp_path / "in1.pgm", grey)
    assert (only_picture(tmp_path) == grey[..., None]).all()


def test_transparency_is_dropped(tmp_path: Path) -> None:
    with_alpha = cv2.cvtColor(paint(2), cv2.COLOR_RGB2BGRA)
    with_alpha[..., 3] = 3
    assert cv2.imwrite(str(tmp_path / "in1.png"), with_alpha)
    assert (only_picture(tmp_path) == paint(2)).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_divided_by_257(tmp_path: Path, suffix: str) -> None:
    deep = paint(2).astype(np.uint16) * 257 + np.uint16(100)
    assert cv2.imwrite(str(tmp_path / f"in1.{suffix}"), deep[..., ::-1])
    assert (only_picture(tmp_path) == paint(2)).all()


def test_16_bit_grey_is_scaled_too(tmp_path: Path) -> None:
    deep = paint(2)[..., 0].astype(np.uint16) * 257
    assert cv2.imwrite(str(tmp_path / "in1.png"), deep)
    assert (only_picture(tmp_path) == paint(2)[..., :1]).all()


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "tif", "webp", "ppm"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.6, 0.95])
def test_a_truncated_picture_is_left_out_and_counted(
    tmp_path: Path, suffix: str, kept: float, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2, 3):
        path = write_picture(tmp_path / f"in{number}.{suffix}", paint(number))
    content = path.read_bytes()
    (tmp_path / f"in2.{suffix}").write_bytes(content[: int(kept * len(content))])
    source = open_source(tmp_path)
    frames = list(source.frames())
    assert [(frame.number, frame.index) for frame in frames] == [(1, 0), (3, 2)]
    assert source.problems == SourceProblems(damaged=1, missing=0)
    assert source.frames_passed == 2
    assert capfd.readouterr().err == ""


def test_a_thumbnail_does_not_hide_that_a_jpeg_is_cut(tmp_path: Path) -> None:
    write_picture(tmp_path / "in1.jpg", paint(1))
    content = write_picture(tmp_path / "in2.jpg", paint(2)).read_bytes()
    segment = b"\xff\xe1" + (2 + 6).to_bytes(2, "big") + b"\xff\xd8ab\xff\xd9"
    whole = content[:2] + segment + content[2:]
    (tmp_path / "in2.jpg").write_bytes(whole)
    assert numbers_of(tmp_path) == [1, 2]
    (tmp_path / "in2.jpg").write_bytes(whole[:-40])
    assert numbers_of(tmp_path) == [1]


def test_a_picture_with_changed_bytes_is_left_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_folder(tmp_path) / "in000006.png"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)
    source = open_source(tmp_path)
    assert 6 not in [frame.number for frame in source.frames()]
    assert source.problems.damaged == 1
    assert capfd.readouterr().err == ""


def test_a_damaged_first_picture_keeps_its_index(tmp_path: Path) -> None:
    (write_folder(tmp_path) / "in000001.png").write_bytes(b"no picture")
    source = open_source(tmp_path)
    first = next(iter(source.frames()))
    assert (source.size, first.index, first.number) == (SIZE, 1, 2)


def test_a_picture_that_goes_away_during_the_pass_counts_as_damaged(tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path))
    (tmp_path / "in000009.png").unlink()
    assert len(list(source.frames())) == COUNT - 1
    assert source.problems.damaged == 1


def test_pictures_that_all_went_away_are_an_error(tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path))
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(SourceError, match="has no readable frame"):
        list(source.frames())


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("others", [3, 6])
def test_all_pictures_are_turned_as_most_of_them_ask_for(
    tmp_path: Path, suffix: str, others: int
) -> None:
    for number in range(1, 11):
        save_turned(tmp_path / f"in{number}.{suffix}", others if number % 5 == 0 else 1)
    source = open_source(tmp_path)
    frames = list(source.frames())
    assert len(frames) == 10
    if suffix == "tiff":  # whose pixels are stored as the orientation says
        frames = [frame for frame in frames if frame.number % 5]
    assert all((frame.picture == paint(2)).all() for frame in frames)
    (note,) = source.notes
    assert "EXIF orientation of 2 pictures" in note


@pytest.mark.parametrize("orientation", [3, 6, 8, 2])
def test_pictures_whose_pixels_are_turned_too_are_turned_as_they_ask(
    tmp_path: Path, orientation: int
) -> None:
    generator = np.random.default_rng(3)
    scene = cv2.GaussianBlur(generator.integers(0, 255, (24, 32, 3)).astype(np.uint8), (0, 0), 2)
    for number in range(1, 11):
        exif = Image.Exif()
        exif[ORIENTATION] = 1 if number % 5 else orientation
        stored = scene if number % 5 else turned_back(scene, orientation)
        Image.fromarray(stored).save(tmp_path / f"in{number}.png", exif=exif)
    source = open_source(tmp_path)
    assert all((frame.picture == scene).all() for frame in source.frames())
    (note,) = source.notes
    assert "EXIF orientation of 2 pictures differs from that of most, and so do" in note


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_an_orientation_of_all_turns_all_and_is_no_news(tmp_path: Path, suffix: str) -> None:
    for number in range(1, 4):
        save_turned(tmp_path / f"in{number}.{suffix}", 3)
    source = open_source(tmp_path)
    for frame in source.frames():
        assert np.abs(frame.picture[::-1, ::-1].astype(int) - paint(2)).mean() < 8
    assert source.notes == ()


def save_turned(path: Path, orientation: int) -> None:
    """The painted picture with an EXIF orientation, its pixels as they are."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    how = {"quality": 95} if path.suffix == ".jpg" else {}
    Image.fromarray(paint(2)).save(path, exif=exif, **({"lossless": True, **how}))


def test_a_picture_of_another_type_than_the_first_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "in1.png", paint(1))
    assert cv2.imwrite(str(tmp_path / "in2.tif"), paint(1).astype(np.float32))
    with pytest.raises(SourceError, match=r"frame 2 .*float32, but the first frame uint8"):
        numbers_of(tmp_path)


def test_pictures_that_a_program_shrank_to_8_bits_fit_those_of_16(tmp_path: Path) -> None:
    deep = paint(2).astype(np.uint16) * 257
    assert cv2.imwrite(str(tmp_path / "in1.png"), deep[..., ::-1])
    write_picture(tmp_path / "in2.png", paint(2))
    assert all((frame.picture == paint(2)).all() for frame in open_source(tmp_path).frames())


@pytest.mark.parametrize(
    ("values", "options", "what"),
    [
        (np.zeros((24, 32), np.float16), {}, "16-bit floating point"),
        (np.zeros((24, 32, 2), np.uint16), {"planarconfig": "contig"}, "2 samples a pixel"),
        (np.zeros((24, 32, 5), np.uint8), {"planarconfig": "contig"}, "5 samples a pixel"),
        (np.zeros((3, 24, 32), np.uint16), {"planarconfig": "separate"}, "separate planes"),
        (np.zeros((24, 32), np.complex64), {}, "complex numbers"),
    ],
)
def test_what_would_be_decoded_wrongly_is_refused_by_name(
    tmp_path: Path, values: np.ndarray, options: dict[str, str], what: str
) -> None:
    photometric = "rgb" if options.get("planarconfig") == "separate" else "minisblack"
    tifffile.imwrite(tmp_path / "in1.tif", values, photometric=photometric, **options)
    with pytest.raises(SourceError, match=rf"in1\.tif is a TIFF file with .*{what}.*not supported"):
        open_source(tmp_path)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("is_big", [False, True])
def test_tiff_of_any_order_of_bytes_and_type_is_read(
    tmp_path: Path, order: str, kind: str, is_big: bool
) -> None:
    values = paint(2).astype(kind)
    tifffile.imwrite(
        tmp_path / "in1.tif", values, byteorder=order, bigtiff=is_big, photometric="rgb"
    )
    assert (only_picture(tmp_path) == paint(2)).all()


@pytest.mark.parametrize("kind", ["uint16", "float32"])
@pytest.mark.parametrize("kept", [0.3, 0.95])
def test_a_truncated_deep_tiff_counts_as_damaged(tmp_path: Path, kind: str, kept: float) -> None:
    for number in (1, 2, 3):
        path = tmp_path / f"in{number}.tif"
        assert cv2.imwrite(str(path), paint(number).astype(kind))
    content = path.read_bytes()
    (tmp_path / "in2.tif").write_bytes(content[: int(kept * len(content))])
    assert numbers_of(tmp_path) == [1, 3]


def test_cmyk_and_palettes_are_taken_as_rgb(tmp_path: Path) -> None:
    flat = np.broadcast_to(np.uint8([200, 40, 90]), (24, 32, 3))
    Image.fromarray(flat).convert("CMYK").save(tmp_path / "in1.jpg", quality=95)
    Image.fromarray(flat).quantize(4).save(tmp_path / "in2.png")
    Image.fromarray(flat).quantize(4).save(tmp_path / "in3.bmp")
    for frame in open_source(tmp_path).frames():
        assert np.abs(frame.picture.astype(int) - flat).max() <= 2
