"""What every architecture promises; a new file is tested by being there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cleanplate.architectures import architecture_summaries, load_architecture
from cleanplate.architectures.base import AS_PUBLISHED, ROBUST, Architecture, BuildContext
from cleanplate.errors import UnknownNameError
from cleanplate.frames import FrameSize, Picture
from cleanplate.losses import LOSS_NAMES
from cleanplate.model import BackgroundModel, LinearDecoder
from cleanplate.objectives.base import Objective
from cleanplate.setting_trees import parse_assignments
from cleanplate.settings import resolve
from cleanplate.tensor_tools.batch import FrameBatch, make_batch, to_pictures, to_tensor
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingSettings
from families import some_nightly
from scenes import PaintedScene, as_bytes, paint_scene

NAMES = tuple(architecture_summaries())
SIZES = (FrameSize(64, 64), FrameSize(48, 80), FrameSize(37, 53))
DRIFT = 25
"""Grey levels, peak to peak, that the light of the scenes to be learned drifts by."""


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def architecture(name: str) -> Architecture:
    return load_architecture(name)


def start_of(scene: PaintedScene, plate: Picture | None = None) -> BuildContext:
    return BuildContext(scene.start_plate() if plate is None else plate, frames=scene.frames)


def build(architecture: Architecture, size: FrameSize, seed: int = 0) -> BackgroundModel:
    """A network in evaluation mode that has not learned anything, but is not at its start."""
    torch.manual_seed(seed)
    model = architecture.build(architecture.settings(), start_of(paint_scene(*size, 4, seed=seed)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return model.eval()


def whole_batch(architecture: Architecture, scene: PaintedScene) -> FrameBatch:
    """All frames of a scene with all that an architecture reads of them."""
    return make_batch(scene.frames, scene.extras(architecture.modalities))


def part_of(batch: FrameBatch, places: Sequence[int]) -> FrameBatch:
    extras = {modality: maps[places] for modality, maps in batch.extras.items()}
    return FrameBatch(batch.rgb[places], extras)


def batch_of(architecture: Architecture, count: int, size: FrameSize) -> FrameBatch:
    return whole_batch(architecture, paint_scene(*size, count, seed=1))


def learn(
    scene: PaintedScene, *assignments: str, seed: int = 0, plate: Picture | None = None
) -> BackgroundModel:
    """A network that has learned a scene, by settings as on the command line."""
    settings = resolve(parse_assignments(assignments))
    assert isinstance(settings.objective, Objective)
    assert isinstance(settings.training, TrainingSettings)
    architecture = settings.architecture()
    torch.manual_seed(seed)
    model = architecture.build(settings.model, start_of(scene, plate))
    objective = settings.objective
    if getattr(settings.model, "form", "plain") == "residual":
        objective = objective.begun_at_plate()
    trainer = Trainer(
        model,
        objective.phases(),
        settings=settings.training,
        budget=Budget.parse(settings.general.budget),
        seed=seed,
    )
    batch = whole_batch(architecture, scene)
    trainer.train(lambda places: part_of(batch, places.tolist()), len(scene))
    return model


def estimates(model: BackgroundModel, batch: FrameBatch) -> Picture:
    """Background of each frame as pictures."""
    places = range(len(batch.rgb))
    with torch.no_grad():
        parts = [
            to_pictures(model.estimate_background(part_of(batch, places[first : first + 8])))
            for first in places[::8]
        ]
    return np.concatenate(parts)


def drifting_scene(height: int, width: int, count: int, seed: int = 0) -> PaintedScene:
    return paint_scene(height, width, count, drift=DRIFT, noise=2, squares=3, seed=seed)


def share_of_the_still_error(
    scene: PaintedScene, model: BackgroundModel, batch: FrameBatch
) -> float:
    """Error of backgrounds as a share of that of the best picture that never changes."""
    still = np.broadcast_to(scene.best_still_plate(), scene.frames.shape)
    return scene.age(estimates(model, batch)) / scene.age(still)


def most_error_of(architecture: Architecture) -> float:
    """The share that a trained network may have: one that gives a still plate cannot do better."""
    size = FrameSize(32, 32)
    backgrounds = estimates(build(architecture, size), batch_of(architecture, 3, size))
    is_still = np.array_equal(backgrounds[0], backgrounds[2])
    return 1.25 if is_still else 0.5


# The estimate


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("count", [1, 3])
def test_the_background_has_the_shape_of_the_frames_and_is_finite(
    architecture: Architecture, size: FrameSize, count: int
) -> None:
    model, batch = build(architecture, size), batch_of(architecture, count, size)
    with torch.no_grad():
        background = model.estimate_background(batch)
    assert background.shape == (count, 3, *size)
    assert background.dtype == torch.float32
    assert torch.isfinite(background).all()


def test_frames_that_are_larger_than_what_a_network_works_on_keep_their_size(
    architecture: Architecture,
) -> None:
    size = FrameSize(181, 243)
    with torch.no_grad():
        background = build(architecture, size).estimate_background(batch_of(architecture, 1, size))
    assert background.shape == (1, 3, *size)


def test_two_calls_agree_bit_for_bit_and_leave_the_frames_alone(
    architecture: Architecture,
) -> None:
    model, batch = build(architecture, SIZES[2]), batch_of(architecture, 3, SIZES[2])
    frames = batch.rgb.clone()
    with torch.no_grad():
        first, second = (model.estimate_background(batch) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(batch.rgb, frames)


def test_a_background_does_not_depend_on_the_other_frames_of_the_batch(
    architecture: Architecture,
) -> None:
    model, batch = build(architecture, SIZES[1]), batch_of(architecture, 3, SIZES[1])
    with torch.no_grad():
        together = model.estimate_background(batch)
        alone = [model.estimate_background(part_of(batch, [place])) for place in range(3)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_codes_are_a_row_of_numbers_for_each_frame(architecture: Architecture) -> None:
    model = build(architecture, FrameSize(37, 53))
    batch = batch_of(architecture, 3, FrameSize(37, 53))
    with torch.no_grad():
        codes, again = model.codes(batch), model.codes(batch)
    assert codes.ndim == 2
    assert len(codes) == 3
    assert torch.equal(codes, again)
    # What gives a background for each frame knows it by its codes.
    is_still = most_error_of(architecture) > 1
    assert (codes.shape[1] == 0) == is_still
    assert is_still or not torch.equal(codes[0], codes[2])


DRAWING = {"adversarial_ae", "coupled_ae", "dcgan", "multi_decoder_ae", "noise_ae", "vae"}
"""Some of those that have pictures of more than the background."""


def require_pictures(pictures: Mapping[str, Tensor], count: int) -> None:
    """Fails where there are none, or where one is none."""
    assert pictures
    for caption, picture in pictures.items():
        assert caption
        assert picture.shape[:2] == (count, 3)
        assert torch.isfinite(picture).all()


def test_other_pictures_can_be_drawn(name: str, architecture: Architecture) -> None:
    model = build(architecture, FrameSize(37, 53))
    with torch.no_grad():
        pictures = model.pictures(batch_of(architecture, 3, FrameSize(37, 53)))
    draws_more = type(model).pictures is not BackgroundModel.pictures
    assert draws_more or name not in DRAWING
    if draws_more:
        require_pictures(pictures, 3)
    else:
        assert not pictures


@pytest.mark.parametrize(
    "pictures",
    [
        {},
        {"": torch.zeros(3, 3, 4, 4)},
        {"one": torch.zeros(1, 4, 4)},
        {"one": torch.full((3, 3, 4, 4), torch.nan)},
    ],
    ids=["none", "no caption", "no batch", "not finite"],
)
def test_what_is_no_picture_does_not_pass_for_one(pictures: Mapping[str, Tensor]) -> None:
    with pytest.raises(AssertionError):
        require_pictures(pictures, 3)


def test_a_network_that_was_put_away_gives_the_same_picture(architecture: Architecture) -> None:
    size = SIZES[2]
    model, batch = build(architecture, size), batch_of(architecture, 2, size)
    # Whoever opens a scene file knows its size, but not the plate that it started from.
    empty = BuildContext(np.zeros((*size, 3), np.uint8))
    again = architecture.build(architecture.settings(), empty).eval()
    again.load_state_dict(model.state_dict())
    with torch.no_grad():
        pictures = [each.estimate_background(batch) for each in (model, again)]
    assert torch.equal(*pictures)


# The parts


def test_every_parameter_belongs_to_a_phase(architecture: Architecture) -> None:
    model = build(architecture, SIZES[0])
    phases = architecture.objective().phases()
    orphans = [
        name
        for name, _ in model.named_parameters()
        if not any(phase.may_change(name) for phase in phases)
    ]
    assert orphans == []
    assert len({phase.name for phase in phases}) == len(phases)


def test_every_parameter_gets_a_gradient(architecture: Architecture) -> None:
    model = build(architecture, SIZES[2]).train()
    batch = batch_of(architecture, 2, SIZES[2])
    for phase in architecture.objective().phases():
        torch.stack(list(phase.loss(model, batch, 0.5).values())).sum().backward()
    without = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert without == []


def test_every_setting_says_what_it_does(architecture: Architecture) -> None:
    for settings in (architecture.settings, architecture.objective):
        missing = [name for name, field in settings.model_fields.items() if not field.description]
        assert missing == []


def test_an_architecture_has_a_source_a_budget_and_both_recipes(
    architecture: Architecture,
) -> None:
    assert architecture.source
    assert architecture.steps > 0
    assert set(architecture.recipes) == {ROBUST, AS_PUBLISHED}


def test_a_summary_is_one_sentence(name: str) -> None:
    summary = architecture_summaries()[name]
    assert summary.endswith(".")
    assert len(summary) <= 100


def test_summaries_are_read_without_torch() -> None:
    code = (
        "import sys\n"
        "from cleanplate.architectures import architecture_summaries\n"
        "assert len(architecture_summaries()) >= 2\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("unknown", ["lowrank", "lowrank_ea", "base", "__init__"])
def test_an_unknown_architecture_is_refused(unknown: str) -> None:
    with pytest.raises(UnknownNameError) as raised:
        load_architecture(unknown)
    text = str(raised.value)
    assert text.startswith(f"unknown method '{unknown}'")
    assert all(known in text for known in NAMES)


def test_an_unknown_architecture_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"\(did you mean 'lowrank_ae'\?\)"):
        load_architecture("low_rank_ae")


# Learning


def test_a_short_training_lowers_the_loss(name: str) -> None:
    scene = drifting_scene(32, 48, 24)
    architecture = load_architecture(name)
    phase = architecture.objective().phases()[0]
    batch = whole_batch(architecture, scene)
    ghosts = as_bytes(scene.frames.mean(axis=0))  # something that even a still plate can mend
    losses = []
    for budget in ("1step", "20steps"):
        settings = (f"method={name}", f"budget={budget}", "training.warmup_steps=2")
        model = learn(scene, *settings, plate=ghosts)
        with torch.no_grad():
            losses.append(sum(float(term) for term in phase.loss(model, batch, 0.0).values()))
    assert losses[1] < losses[0]


PLAIN = {"bootstrap_plate": ("model.begin=noise",), "pooled_plate": ()}
"""How a method begins at nothing, or at a mean, that has no plain form."""


@pytest.mark.parametrize("name", some_nightly(NAMES, always=["conv_ae", "vae"], slow=True))
def test_sixty_steps_from_nothing_bring_the_background_nearer(name: str) -> None:
    scene = drifting_scene(48, 64, 40)
    architecture = load_architecture(name)
    if name not in PLAIN and "form" not in architecture.settings.model_fields:
        pytest.skip("it begins at the plate, and has no form without it")
    plain = PLAIN.get(name, ("model.form=plain",))
    settings = (f"method={name}", *plain, "training.warmup_steps=5")
    batch = whole_batch(architecture, scene)
    ghosts = as_bytes(scene.frames.mean(axis=0))
    first, last = (
        scene.age(estimates(learn(scene, *settings, f"budget={steps}steps", plate=ghosts), batch))
        for steps in (1, 60)
    )
    assert last < 0.8 * first


@pytest.mark.slow
def test_every_loss_can_be_learned_with(name: str) -> None:
    if "loss" not in load_architecture(name).objective.model_fields:
        pytest.skip("the loss is what makes this method")
    scene = drifting_scene(32, 48, 8)
    for loss in LOSS_NAMES:
        settings = (f"method={name}", f"objective.loss={loss}", "budget=2steps")
        model = learn(scene, *settings)
        require_finite(model, whole_batch(load_architecture(name), scene))


def require_finite(model: BackgroundModel, batch: FrameBatch) -> None:
    """Fails where a number of a network, or of its backgrounds before they are bytes, is none."""
    for name, values in model.state_dict().items():
        assert torch.isfinite(values).all(), name
    with torch.no_grad():
        assert torch.isfinite(model.estimate_background(batch)).all()


@pytest.mark.parametrize("number", [torch.nan, torch.inf])
def test_a_network_that_has_come_apart_does_not_pass_for_one_that_has_learned(
    number: float,
) -> None:
    scene = drifting_scene(32, 48, 8)
    dead = Dead(scene.start_plate())
    require_finite(dead, FrameBatch(to_tensor(scene.frames)))
    with torch.no_grad():
        dead.plate[0, 0, 5, 7] = number
    with pytest.raises(AssertionError):
        require_finite(dead, FrameBatch(to_tensor(scene.frames)))


ROBUST_FORMS: dict[str, tuple[str, ...]] = {
    **{name: (f"method={name}",) for name in NAMES},
    "conv_ae plain": ("method=conv_ae", "model.form=plain"),
}
BUDGETS = {"lowrank_ae": "200steps", "conv_ae": "250steps", "conv_ae plain": "300steps"}
"""As few steps as suffice for a small scene, of the two methods that every run tries."""


def error_after_learning(scene: PaintedScene, *settings: str, seed: int = 0) -> float:
    batch = whole_batch(resolve(parse_assignments(settings)).architecture(), scene)
    return share_of_the_still_error(scene, learn(scene, *settings, seed=seed), batch)


@pytest.mark.parametrize("form", BUDGETS)
def test_the_background_follows_the_light_but_not_what_moves(form: str) -> None:
    scene = drifting_scene(48, 64, 60)
    settings = (*ROBUST_FORMS[form], f"budget={BUDGETS[form]}")
    assert error_after_learning(scene, *settings) <= 0.5


@pytest.mark.parametrize("form", some_nightly(ROBUST_FORMS, always=["lowrank_ae"], slow=True))
def test_every_method_follows_the_light_with_its_default_budget(form: str) -> None:
    error = error_after_learning(drifting_scene(48, 64, 60), *ROBUST_FORMS[form])
    assert error <= most_error_of(load_architecture(form.split(maxsplit=1)[0]))


@pytest.mark.sweep
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "size", [FrameSize(48, 64), FrameSize(64, 96), FrameSize(120, 160)], ids=str
)
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("form", ROBUST_FORMS)
def test_the_default_budget_suffices_for_every_scene(form: str, seed: int, size: FrameSize) -> None:
    scene = drifting_scene(*size, 90, seed=seed)
    error = error_after_learning(scene, *ROBUST_FORMS[form], seed=seed)
    assert error <= most_error_of(load_architecture(form.split(maxsplit=1)[0]))


class Dead(BackgroundModel):
    """A network that gives the same picture whatever it sees."""

    def __init__(self, plate: Picture) -> None:
        super().__init__()
        self.plate = nn.Parameter(to_tensor(plate[None]))

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame."""
        return self.plate.expand_as(batch.rgb)


class Echo(BackgroundModel):
    """A network that gives back what it sees."""

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame."""
        return batch.rgb


CONTROLS: dict[str, Callable[[PaintedScene], BackgroundModel]] = {
    "the best still plate": lambda scene: Dead(scene.best_still_plate()),
    "the plate at the start": lambda scene: Dead(scene.start_plate()),
    "the frame itself": lambda _: Echo(),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_a_dead_network_does_not_pass_for_one_that_follows_the_light(control: str) -> None:
    scene = drifting_scene(48, 64, 60)
    batch = FrameBatch(to_tensor(scene.frames))
    assert share_of_the_still_error(scene, CONTROLS[control](scene), batch) > 0.99


def mixed(linear_decoder: LinearDecoder, batch: FrameBatch) -> Tensor:
    thumbnails = nn.functional.adaptive_avg_pool2d(batch.rgb, linear_decoder.thumbnail_size)
    return linear_decoder.plate + torch.einsum(
        "bk,kchw->bchw", linear_decoder.codes(thumbnails), linear_decoder.images
    )


def test_what_a_network_says_it_mixes_is_its_background() -> None:
    mixers = []
    for name in NAMES:
        architecture = load_architecture(name)
        model = build(architecture, SIZES[1])
        linear_decoder = model.linear_decoder()
        if linear_decoder is None:
            continue  # most networks do more than mix
        mixers.append(name)
        batch = batch_of(architecture, 2, SIZES[1])
        with torch.no_grad():
            background = model.estimate_background(batch)
            torch.testing.assert_close(mixed(linear_decoder, batch), background)
            other = linear_decoder._replace(images=linear_decoder.images.flip(0))
            assert not torch.allclose(mixed(other, batch), background, atol=1e-3)
    assert "lowrank_ae" in mixers
