"""One tree of settings: defaults, recipe, file, command line; a sentence for what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cleanplate.architectures import load_architecture
from cleanplate.architectures.conv_ae import ConvAESettings
from cleanplate.baselines import STILL_BASELINES
from cleanplate.errors import SettingsError, UnknownNameError, UsageError
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.segmentation import SegmentationSettings
from cleanplate.setting_trees import merge, parse_assignments, read_settings_file
from cleanplate.settings import (
    DEFAULT_INIT,
    DEFAULT_METHOD,
    DEFAULT_RECIPE,
    LearnSettings,
    SamplingSettings,
    known_methods,
    resolve,
)
from cleanplate.training.trainer import TrainingSettings

LEARNED = sorted(set(known_methods()) - set(STILL_BASELINES))


def resolved(*assignments: str) -> LearnSettings:
    return resolve(parse_assignments(assignments))


def refusal(*assignments: str) -> str:
    with pytest.raises(UsageError) as raised:
        resolved(*assignments)
    text = str(raised.value)
    assert "\n" not in text
    return text


# Defaults and recipes


def test_nothing_given_is_the_default_method_with_its_own_budget() -> None:
    settings = resolve({})
    general = settings.general
    assert (general.method, general.recipe) == (DEFAULT_METHOD, DEFAULT_RECIPE)
    assert general.init == DEFAULT_INIT
    assert general.budget == f"{load_architecture(DEFAULT_METHOD).steps}steps"
    assert settings.sampling == SamplingSettings()
    assert settings.segmentation == SegmentationSettings()
    assert settings.training == TrainingSettings()
    assert not settings.is_baseline


@pytest.mark.parametrize("method", LEARNED)
def test_every_recipe_of_every_method_can_be_resolved(method: str) -> None:
    architecture = load_architecture(method)
    assert DEFAULT_RECIPE in architecture.recipes
    for recipe in architecture.recipes:
        settings = resolved(f"method={method}", f"recipe={recipe}")
        assert isinstance(settings.model, architecture.settings)
        assert isinstance(settings.objective, architecture.objective)
        assert settings.architecture() is architecture


def test_conv_ae_as_published_redraws_the_whole_picture_under_the_squared_error() -> None:
    settings = resolved("method=conv_ae", "recipe=as_published")
    assert isinstance(settings.model, ConvAESettings)
    assert isinstance(settings.objective, Reconstruction)
    assert settings.model.form == "plain"
    assert settings.objective.loss == "mse"


def test_what_the_user_gives_wins_over_the_recipe() -> None:
    settings = resolved("method=conv_ae", "recipe=as_published", "objective.loss=l1")
    assert isinstance(settings.model, ConvAESettings)
    assert isinstance(settings.objective, Reconstruction)
    assert settings.objective.loss == "l1"
    assert settings.model.form == "plain"


def test_an_unknown_recipe_is_refused_with_the_nearest() -> None:
    assert refusal("method=conv_ae", "recipe=as_publshed") == (
        "unknown recipe 'as_publshed' (did you mean 'as_published'?); known: as_published, robust"
    )


@pytest.mark.parametrize(
    ("text", "kept"), [("90s", "90s"), ("5min", "300s"), ("7steps", "7steps"), ("300h", "1080000s")]
)
def test_the_budget_is_kept_in_steps_or_seconds(text: str, kept: str) -> None:
    assert resolved(f"budget={text}").general.budget == kept


def test_a_budget_that_is_none_is_refused() -> None:
    assert refusal("budget=fast").startswith("budget 'fast' is not understood")


# Texts of the command line


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("method=median", {"method": "median"}),
        ("segmentation.threshold=30", {"segmentation": {"threshold": 30}}),
        ("objective.learning_rate=0.01", {"objective": {"learning_rate": 0.01}}),
        ("training.tensorboard=false", {"training": {"tensorboard": False}}),
        (" sampling.max_frames = 12 ", {"sampling": {"max_frames": 12}}),
        ("device=cuda:1", {"device": "cuda:1"}),
        ("a.b.c=x", {"a": {"b": {"c": "x"}}}),
        ("init=a=b", {"init": "a=b"}),
        ("model.rank=", {"model": {"rank": None}}),
    ],
)
def test_a_text_is_read_as_a_path_and_a_value_of_its_type(text: str, tree: dict[str, Any]) -> None:
    assert parse_assignments([text]) == tree


def test_several_texts_make_one_tree_and_the_later_wins() -> None:
    texts = ["model.rank=3", "method=median", "model.width=8", "model.rank=5"]
    assert parse_assignments(texts) == {"model": {"rank": 5, "width": 8}, "method": "median"}


@pytest.mark.parametrize("text", ["method", "", "=3", "  =3"])
def test_a_text_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=f"'{text}' is no setting; give KEY=VALUE"):
        parse_assignments([text])


@pytest.mark.parametrize("text", ["model.rank=[1", "model.rank=*a", "init=2001-99-99", "init=!a b"])
def test_a_value_that_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"the value of '.*' is not understood"):
        parse_assignments([text])


@pytest.mark.parametrize("text", ["objective.learning_rate=1e-2", "objective.learning_rate=0.01"])
def test_numbers_may_be_written_with_an_exponent(text: str) -> None:
    settings = resolved(text)
    assert isinstance(settings.objective, Reconstruction)
    assert settings.objective.learning_rate == 0.01


# Sentences for what is wrong


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("metod=median", "unknown setting 'metod' (did you mean 'method'?)"),
        ("segmentatoin.blur=1", "unknown setting 'segmentatoin' (did you mean 'segmentation'?)"),
        ("segmentation.treshold=1", "unknown setting 'segmentation.treshold' (did you mean"),
        ("sampling.max_frame=9", "unknown setting 'sampling.max_frame' (did you mean 'max_frames'"),
        ("training.batchsize=9", "unknown setting 'training.batchsize' (did you mean 'batch_size'"),
        ("model.rnk=9", "unknown setting 'model.rnk' (did you mean 'rank'?)"),
        ("objective.los=mse", "unknown setting 'objective.los' (did you mean 'loss'?)"),
        ("method=lowrank", "unknown method 'lowrank' (did you mean 'lowrank_ae'?)"),
        ("init=medain", "unknown initial plate 'medain' (did you mean 'median'?)"),
        ("segmentation.threshold=-1", "setting 'segmentation.threshold' cannot be -1: input"),
        ("sampling.max_frames=many", "setting 'sampling.max_frames' cannot be 'many': input"),
        ("sampling.working_pixels=-5", "setting 'sampling.working_pixels' cannot be -5: input"),
        ("sampling.working_pixels=all", "setting 'sampling.working_pixels' cannot be 'all': input"),
        ("model.rank=0", "setting 'model.rank' cannot be 0: input should be greater than or"),
        ("objective.loss=mxe", "setting 'objective.loss' cannot be 'mxe': input should be"),
        ("training.log_every=50", "setting 'training.log_every' cannot be 50: input should be"),
        ("seed=-1", "setting 'seed' cannot be -1: input should be greater than or equal to 0"),
        ("segmentation=3", "'segmentation' is a group; give segmentation.SETTING=VALUE"),
        ("method.rank=3", "setting 'method' cannot be {'rank': 3}: input should be a valid"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    assert refusal(text).startswith(sentence)


@pytest.mark.parametrize("pixels", ["-5", "0", "12"])
def test_a_network_cannot_work_on_next_to_no_pixels(pixels: str) -> None:
    text = refusal("method=conv_ae", f"model.working_pixels={pixels}")
    assert text.startswith(f"setting 'model.working_pixels' cannot be {pixels}: ")


def test_a_key_that_is_no_word_is_refused() -> None:
    with pytest.raises(SettingsError, match="unknown setting '5'"):
        resolve({5: 3})  # type: ignore[dict-item]
    with pytest.raises(SettingsError, match=r"setting 'model\.5' cannot be 5: keys"):
        resolve({"model": {5: 3}})


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:12"])
def test_the_devices_that_make_sense_are_taken(device: str) -> None:
    assert resolved(f"device={device}").general.device == device


@pytest.mark.parametrize(
    "device", ["gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:²", "cpu:0", "auto:", "cuda:0:1", "''"]
)
def test_a_device_that_makes_no_sense_is_refused(device: str) -> None:
    assert refusal(f"device='{device.strip(chr(39))}'").endswith(
        "makes no sense; give auto, cpu, cuda or cuda:N"
    )


# Baselines


@pytest.mark.parametrize("method", STILL_BASELINES)
def test_a_baseline_has_no_settings_of_a_network(method: str) -> None:
    settings = resolved(f"method={method}", "segmentation.blur=0")
    assert settings.is_baseline
    assert settings.segmentation.blur == 0
    assert (settings.model, settings.objective, settings.training) == (None, None, None)
    assert list(settings.groups()) == ["sampling", "segmentation"]


@pytest.mark.parametrize("group", ["model.rank=3", "objective.loss=mse", "training.batch_size=3"])
def test_a_baseline_refuses_the_settings_of_a_network(group: str) -> None:
    text = refusal("method=median", group)
    assert text == f"'median' is a still plate, it has no {group.partition('.')[0]} settings"


def test_every_method_has_a_summary_of_one_line() -> None:
    methods = known_methods()
    assert list(methods) == sorted(methods)
    assert set(STILL_BASELINES) < set(methods)
    assert all(summary and "\n" not in summary for summary in methods.values())


# Trees and files


@pytest.mark.parametrize(
    "assignments",
    [
        (),
        ("method=conv_ae", "recipe=as_published", "budget=90s"),
        ("method=median", "segmentation.shadows=keep"),
        ("objective.learning_rate=1e-5", "sampling.working_pixels=5000", "budget=300h"),
        ("device=cuda:1", "seed=7", "sampling.max_gigabytes=0.25"),
    ],
)
def test_a_tree_comes_back_from_yaml_as_the_same_settings(assignments: tuple[str, ...]) -> None:
    settings = resolved(*assignments)
    tree = yaml.safe_load(yaml.safe_dump(settings.as_tree(), sort_keys=False))
    again = resolve(tree)
    assert again == settings
    assert again.as_tree() == settings.as_tree()
    assert next(iter(tree)) == "method"


def test_a_later_tree_wins_and_none_is_changed() -> None:
    first = {"a": 1, "b": {"c": 2, "d": {"e": 3}}}
    second = {"b": {"d": {"f": 4}, "c": 5}, "g": 6}
    copies = yaml.safe_dump([first, second])
    assert merge(first, second) == {"a": 1, "b": {"c": 5, "d": {"e": 3, "f": 4}}, "g": 6}
    assert yaml.safe_dump([first, second]) == copies


def test_a_value_replaces_a_group_and_a_group_a_value() -> None:
    assert merge({"a": {"b": 1}}, {"a": 2}) == {"a": 2}
    assert merge({"a": 2}, {"a": {"b": 1}}) == {"a": {"b": 1}}
    assert merge() == {}


def test_a_settings_file_is_read_as_a_tree(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("method: median\nsegmentation:\n  blur: 0\n", encoding="utf-8")
    assert read_settings_file(path) == {"method": "median", "segmentation": {"blur": 0}}
    path.write_text("# nothing yet\n", encoding="utf-8")
    assert read_settings_file(path) == {}


@pytest.mark.parametrize(
    "content", [b"- 1\n- 2\n", b"method: [\n", b"\xff\xfe\x00", b"just words", b"a: 2001-99-99"]
)
def test_a_file_without_settings_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"settings file .*settings\.yaml (holds|cannot)"):
        read_settings_file(path)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"settings file .*none\.yaml cannot be read"):
        read_settings_file(tmp_path / "none.yaml")


def test_an_unknown_method_is_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError):
        resolve({"method": "nothing"})


@pytest.mark.parametrize("text", ["off", "on", "yes", "no"])
def test_a_word_that_old_yaml_took_for_a_boolean_is_a_word(text: str) -> None:
    assert parse_assignments([f"group.key={text}"]) == {"group": {"key": text}}


def test_what_is_off_can_be_said_so() -> None:
    tree = parse_assignments(["sampling.registration=off", "segmentation.light=off"])
    settings = resolve(merge({"method": "median"}, tree))
    assert (settings.sampling.registration, settings.segmentation.light) == ("off", "off")
    switched = parse_assignments(["segmentation.correct_ghosts=no"])
    assert not resolve(merge({"method": "median"}, switched)).segmentation.correct_ghosts


def test_a_settings_file_may_say_off(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("sampling:\n  registration: off\nsegmentation:\n  correct_ghosts: false\n")
    tree = read_settings_file(path)
    assert tree == {"sampling": {"registration": "off"}, "segmentation": {"correct_ghosts": False}}
