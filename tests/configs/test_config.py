"""Config: a frozen value that refuses what is out of range; the `.keras` file that carries it."""

import dataclasses
import json
import zipfile

import keras
import numpy as np
import pytest

from skelgnn_tf.configs.config import LIFT_SKELETONS, RECIPES, TASKS, Config, build_model, load_model, save_model

SMALL = {"channels": 4, "squeeze": 0.5}
FIELDS = dataclasses.fields(Config)
OF_TASK = [(task, field) for task in TASKS for field in FIELDS if field.metadata["defaults"][task] is not None]
OF_THE_OTHER = [(task, field) for task in TASKS for field in FIELDS if field.metadata["defaults"][task] is None]


def test_a_config_cannot_be_changed_only_made_anew():
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.frames = 9
    assert config.replace(frames=9).frames == 9 and config.frames == 1
    with pytest.raises(TypeError, match="chanels"):
        config.replace(chanels=64)
    with pytest.raises(TypeError, match="chanels"):
        Config(chanels=64)


def test_the_default_is_the_papers_recipe():
    config = Config()
    paper = {
        "epochs": 80, "batch_size": 256, "learning_rate": 1e-3, "decay": 0.95, "channels": 128, "dropout": 0.25,
        "short_hops": 1, "max_hops": 2, "squeeze": 1 / 8, "temporal_kernel": 3, "flip": True, "frames": 1,
    }  # fmt: skip
    assert {name: getattr(config, name) for name in paper} == paper


def test_the_default_of_recognition_is_the_modern_recipe_and_the_papers_is_the_other():
    shared = {
        "epochs": 60, "frames": 64, "short_hops": 5, "max_hops": 7, "squeeze": 1 / 8, "temporal_kernel": 3,
        "size": "paper", "stream": "joint", "normalization": "auto", "flip": False,
    }  # fmt: skip
    modern, paper = (Config(task="action", recipe=recipe) for recipe in ("modern", "paper"))
    assert Config(task="action") == modern
    for config in (modern, paper):
        assert {name: getattr(config, name) for name in shared} == shared
    differ = {name for name in vars(modern) if getattr(modern, name) != getattr(paper, name)}
    assert differ == {"recipe", "batch_size", "learning_rate", "weight_decay", "label_smoothing", "ema"}
    # The paper's SGD: rate 0.1, batch 64, decay 5e-4, nothing else.
    assert (paper.learning_rate, paper.batch_size, paper.weight_decay) == (0.1, 64, 5e-4)
    assert paper.label_smoothing == paper.ema == 0 < modern.label_smoothing < modern.ema
    # What is named stands in both.
    assert Config(task="action", recipe="paper", batch_size=7, ema=0.5).batch_size == 7
    assert Config(task="action", recipe="paper", batch_size=7, ema=0.5).learning_rate == 0.1


def test_windows_have_a_frame_rate_and_what_is_stretched_has_none():
    assert Config(task="action").sampling == "window" and Config(task="action").fps == 15
    for sampling in ("repeat", "resize"):
        assert Config(task="action", sampling=sampling).fps == 0
    assert Config(task="action", fps=0.0).fps == 0 and Config().fps == 0


def test_every_field_has_a_default_for_each_task_recipe_and_sampling():
    choices = {field.name: field.metadata["choices"] for field in FIELDS}
    assert choices["recipe"] == RECIPES and choices["task"] == TASKS
    for field in FIELDS:
        assert field.default is None and set(field.metadata["defaults"]) == set(TASKS), field.name
        assert field.metadata["help"]
        for default in field.metadata["defaults"].values():
            if isinstance(default, dict):
                assert set(default) in ({*RECIPES}, {*choices["sampling"]}), field.name


def another_value(task, field):
    """A value that is not the default, of the field's own type."""
    default = getattr(Config(task=task), field.name)
    if field.metadata["choices"]:
        allowed = LIFT_SKELETONS if (task, field.name) == ("lift", "skeleton") else field.metadata["choices"]
        return next(choice for choice in allowed if choice != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, tuple):
        return ("h36m", "fitness") if task == "lift" else ("npz",)
    if isinstance(default, str):
        return "some_file.npz"
    if isinstance(default, float):
        return default / 2 or 0.25
    # Two more, for lifting's frames are odd.
    return default + 2


#: What a value is allowed together with.
NEEDS = {
    ("lift", "short_hops"): {"max_hops": 9},
    ("lift", "joint_drop"): {"confidence": True},
    ("lift", "joint_offset"): {"views": "random"},
    ("lift", "body_variety"): {"views": "random"},
    ("lift", "limb_mix"): {"views": "random"},
    ("lift", "limb_turn"): {"views": "random"},
    ("lift", "quantize_aware"): {"start": "runs/a"},
    ("action", "quantize_aware"): {"start": "runs/a"},
    ("action", "prune"): {"ema": 0.0},
}


@pytest.mark.parametrize(("task", "field"), OF_TASK, ids=lambda v: getattr(v, "name", v))
def test_every_field_of_a_task_survives_json(task, field):
    if field.name == "task":
        config = Config(task=task)
    else:
        value = another_value(task, field)
        config = Config(task=task, **NEEDS.get((task, field.name), {}), **{field.name: value})
        assert getattr(config, field.name) == value != getattr(Config(task=task), field.name)
    again = Config.from_json(config.to_json())
    assert again == config and again.replace() == config
    assert type(getattr(again, field.name)) is type(getattr(config, field.name))
    # The other task's fields are not even named.
    assert set(json.loads(config.to_json())) == {f.name for t, f in OF_TASK if t == task}


@pytest.mark.parametrize(("task", "field"), OF_THE_OTHER, ids=lambda v: getattr(v, "name", v))
def test_a_field_of_the_other_task_is_refused_with_the_names_of_both(task, field):
    other = TASKS[1 - TASKS.index(task)]
    assert getattr(Config(task=task), field.name) is None
    value = another_value(other, field)
    flag = "--" + field.name.replace("_", "-")
    with pytest.raises(ValueError) as refused:
        Config(task=task, **{field.name: value})
    assert str(refused.value) == f"{flag} is of --task {other}; this is --task {task}"
    with pytest.raises(ValueError, match=f"{flag} is of --task {other}"):
        Config.from_json(json.dumps({"task": task, field.name: value}))


def test_a_config_of_before_there_were_tasks_is_one_of_lifting():
    values = json.loads(Config(frames=9, channels=64).to_json())
    assert values.pop("task") == "lift"
    old = Config.from_json(json.dumps(values))
    assert old == Config(frames=9, channels=64) and old.task == "lift"
    assert Config() == Config(task="lift") == Config.from_json("{}")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"views": "all"}, "--views wants file or random; got 'all'"),
        ({"protocol": "image"}, "--protocol wants camera or pixel; got 'image'"),
        ({"skeleton": "h36m"}, "--skeleton wants .*h36m_17 or .*; got 'h36m'"),
        ({"skeleton": "coco_17"}, "--skeleton wants h36m_17 or .*; got 'coco_17'"),
        ({"skeleton": "auto"}, "--skeleton wants h36m_17 or .*; got 'auto'"),
        ({"channels": 0}, "--channels wants 1 or more; got 0"),
        ({"frames": 4}, "--frames wants an odd number, .*; got 4"),
        ({"squeeze": 0.0}, "--squeeze wants 0 < d <= 1; got 0.0"),
        ({"max_hops": 0}, r"--short-hops wants at most --max-hops \(0\); got 1"),
        ({"task": "sing"}, "--task wants lift or action; got 'sing'"),
        ({"sharing": "gcn"}, "--sharing wants pair or shared"),
        ({"keypoint_frame": "box"}, "--keypoint-frame wants screen or person"),
        ({"frames": 0}, "--frames wants 1 or more; got 0"),
        ({"epochs": 0}, "--epochs wants 1 or more; got 0"),
        ({"batch_size": -1}, "--batch-size wants 1 or more; got -1"),
        ({"stride": 0}, "--stride wants 1 or more"),
        ({"limit_train": -5}, "--limit-train wants 0 or more; got -5"),
        ({"dropout": 1.0}, "--dropout wants less than 1; got 1.0"),
        ({"validation": 1.0}, "--validation wants less than 1"),
        ({"ema": 1.0}, "--ema wants less than 1"),
        ({"noise": -0.1}, "--noise wants 0 or more"),
        ({"noise": float("nan")}, "--noise wants 0 or more; got nan"),
        ({"learning_rate": float("nan")}, "--learning-rate wants 0 or more; got nan"),
        ({"seed": -1}, "--seed wants 0 or more"),
        ({"joint_drop": 0.1}, "--joint-drop wants --confidence"),
        ({"joint_offset": 0.02}, "--joint-offset .* wants --views random"),
        ({"body_variety": 0.1}, "--body-variety .* wants --views random"),
        ({"limb_mix": 0.3}, "--limb-mix .* wants --views random"),
        ({"limb_turn": 10.0}, "--limb-turn .* wants --views random"),
        ({"protocol": "pixel", "views": "random"}, "--protocol pixel .* --views file"),
        ({"protocol": "pixel", "keypoint_frame": "person"}, "--protocol pixel .* --keypoint-frame screen"),
        ({"quantize_aware": True}, "--quantize-aware .* add --from"),
        ({"prune": 0.5, "ema": 0.9}, "--prune wants --ema 0, .* got --ema 0.9"),
        ({"prune": 1.0}, "--prune wants less than 1; got 1.0"),
        ({"prune": -0.1}, "--prune wants 0 or more; got -0.1"),
        ({"prune": float("nan")}, "--prune wants 0 or more; got nan"),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_option(values, message):
    with pytest.raises(ValueError, match=message) as refused:
        Config(**values)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stream": "bones"}, "--stream wants joint or bone or .*; got 'bones'"),
        ({"normalization": "centre"}, "--normalization wants auto or .*; got 'centre'"),
        ({"sampling": "crop"}, "--sampling wants window or repeat or resize; got 'crop'"),
        ({"size": "large"}, "--size wants paper or small; got 'large'"),
        ({"recipe": "old"}, "--recipe wants modern or paper; got 'old'"),
        ({"input": "video"}, "--input wants auto or pose or keypoints; got 'video'"),
        ({"persons": 3}, "--persons wants less than 3; got 3"),
        ({"persons": -1}, "--persons wants 0 or more; got -1"),
        ({"frame_drop": 1.0}, "--frame-drop wants less than 1; got 1.0"),
        ({"label_smoothing": 1.0}, "--label-smoothing wants less than 1"),
        ({"scaling": 1.0}, "--scaling wants less than 1"),
        ({"rotation": -5.0}, "--rotation wants 0 or more; got -5.0"),
        ({"weight_decay": float("nan")}, "--weight-decay wants 0 or more; got nan"),
        ({"short_hops": 8}, r"--short-hops wants at most --max-hops \(7\); got 8"),
        ({"dataset": ("fitness", "npz")}, "wants one --dataset, .*; got 2"),
        (
            {"fps": 30.0, "sampling": "resize"},
            "--fps and --rate-jitter want --sampling window; this is --sampling resize",
        ),
        ({"rate_jitter": 0.2, "sampling": "repeat"}, "want --sampling window; this is --sampling repeat"),
        ({"input": "keypoints", "normalization": "view"}, "--normalization view turns poses in space; keypoints want"),
    ],
)
def test_a_value_that_recognition_does_not_take_is_refused_by_the_name_of_its_option(values, message):
    with pytest.raises(ValueError, match=message) as refused:
        Config(task="action", **values)
    assert "\n" not in str(refused.value)


def test_what_lifting_wants_of_its_frames_and_joints_is_not_wanted_of_recognition():
    config = Config(task="action", frames=32, channels=0, joint_drop=0.1, confidence=False, skeleton="coco_17")
    assert (config.frames, config.channels, config.skeleton) == (32, 0, "coco_17")


def test_a_config_of_a_newer_version_names_what_is_unknown():
    values = json.loads(Config().to_json()) | {"warp": 9, "zoom": 1}
    with pytest.raises(ValueError, match="unknown fields warp, zoom; .* newer skelgnn-tf"):
        Config.from_json(json.dumps(values))


def test_a_config_of_an_older_version_gets_the_defaults_of_what_it_lacks():
    values = json.loads(Config(frames=9).to_json())
    del values["fps"]
    assert Config.from_json(json.dumps(values)) == Config(frames=9)


def test_the_model_is_what_the_config_says():
    config = Config(
        frames=27, channels=6, blocks=2, short_hops=0, max_hops=3, squeeze=0.5, dynamic=False, temporal_kernel=1,
        sharing="shared", dropout=0.1, causal=True, every_frame=True, confidence=True, keypoint_frame="person",
        skeleton="h36m_17_lcn",
    )  # fmt: skip
    made = build_model(config).get_config()
    assert made["skeleton"]["name"] == "h36m_17_lcn"
    shared = {f.name for f in dataclasses.fields(Config)} & made.keys() - {"skeleton"}
    assert len(shared) == 14
    assert {name: made[name] for name in shared} == {name: getattr(config, name) for name in shared}
    assert build_model(Config(**SMALL)).built


def test_the_recogniser_is_what_the_config_says():
    config = Config(
        task="action", input="keypoints", frames=8, persons=2, confidence=True, normalization="box", stream="bone",
        size="small", channels=4, short_hops=1, max_hops=3, squeeze=0.5, dynamic=False, temporal_kernel=1, dropout=0.1,
        rotation=5.0, scaling=0.2, shear=0.1, joint_drop=0.05, seed=7, skeleton="coco_17",
    )  # fmt: skip
    model = build_model(config, ("sit", "stand", "wave"))
    made = model.get_config()
    assert made["skeleton"]["name"] == "coco_17" and made["classes"] == ["sit", "stand", "wave"] and made["dims"] == 2
    shared = {f.name for f in FIELDS} & made.keys() - {"skeleton"}
    assert len(shared) == 18
    assert {name: made[name] for name in shared} == {name: getattr(config, name) for name in shared}
    assert model.built and model.input_channels == 3


# ---- the file


def test_a_model_file_carries_its_config(tmp_path):
    config = Config(frames=9, confidence=True, dataset=("h36m", "fitness"), data_dir=("x",), **SMALL)
    model = build_model(config)
    save_model(model, config, tmp_path / "a.keras")
    assert [f.name for f in tmp_path.iterdir()] == ["a.keras"]
    again, found = load_model(tmp_path / "a.keras")
    assert found == config
    x = np.random.default_rng(0).uniform(-1, 1, (2, 9, 17, 3)).astype(np.float32)
    np.testing.assert_array_equal(again(x), model(x))
    # It is still a file of Keras', which needs none of ours to open it.
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "a.keras", safe_mode=True)(x), model(x))


def test_the_file_of_a_recogniser_carries_its_config_and_its_classes(tmp_path):
    config = Config(
        task="action", input="pose", skeleton="ntu_25", persons=1, normalization="view", confidence=False, frames=8,
        size="small", channels=4, short_hops=1, max_hops=2, squeeze=0.5, rotation=10.0,
    )  # fmt: skip
    model = build_model(config, ("sit", "stand", "wave"))
    save_model(model, config, tmp_path / "a.keras")
    again, found = load_model(tmp_path / "a.keras")
    assert found == config and again.classes == ("sit", "stand", "wave")
    x = np.random.default_rng(0).normal(size=(2, 1, 8, 25, 3)).astype(np.float32)
    np.testing.assert_array_equal(again(x), model(x))


def test_a_run_folder_is_opened_as_its_best_model(tmp_path):
    config = Config(**SMALL)
    save_model(build_model(config), config, tmp_path / "model.keras")
    assert load_model(tmp_path)[1] == config


def test_a_save_that_fails_leaves_the_old_file_and_no_half_one(tmp_path):
    config = Config(**SMALL)
    model = build_model(config)
    save_model(model, config, tmp_path / "a.keras")
    before = (tmp_path / "a.keras").read_bytes()
    model.get_config = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        save_model(model, config, tmp_path / "a.keras")
    assert (tmp_path / "a.keras").read_bytes() == before
    assert [f.name for f in tmp_path.iterdir()] == ["a.keras"]


def test_files_of_something_else_are_refused_in_one_line(tmp_path):
    plain = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    plain.save(tmp_path / "plain.keras")
    (tmp_path / "text.keras").write_text("not a model")
    (tmp_path / "empty.keras").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "zip.keras", "w") as archive:
        archive.writestr("skelgnn_tf.json", Config().to_json())
    for name in ("plain", "text", "empty", "zip"):
        with pytest.raises(ValueError, match=rf"{name}\.keras is ") as refused:
            load_model(tmp_path / f"{name}.keras")
        assert "\n" not in str(refused.value)


def test_a_model_file_that_lost_its_end_or_its_config_is_refused(tmp_path):
    config = Config(**SMALL)
    save_model(build_model(config), config, tmp_path / "whole.keras")
    whole = (tmp_path / "whole.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[: len(whole) // 2])
    for name, text in (("config", '{"frames": "nine"}'), ("list", "[]"), ("garbage", "{")):
        with zipfile.ZipFile(tmp_path / "whole.keras") as old, zipfile.ZipFile(tmp_path / f"{name}.keras", "w") as new:
            for member in old.namelist():
                new.writestr(member, text if member == "skelgnn_tf.json" else old.read(member))
    for name in ("cut", "config", "list", "garbage"):
        with pytest.raises(ValueError, match=rf"{name}\.keras") as refused:
            load_model(tmp_path / f"{name}.keras")
        assert "\n" not in str(refused.value)


def test_a_model_that_is_not_there_is_named_with_the_way_to_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing does not exist.*skelgnn-tf train"):
        load_model(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="holds no model.keras"):
        load_model(tmp_path)


def test_another_recipe_or_sampling_brings_its_own_defaults_but_keeps_what_was_chosen():
    config = Config(task="action", batch_size=24)
    paper, chosen = config.replace(recipe="paper", sampling="resize"), Config(task="action", recipe="paper")
    assert (paper.batch_size, paper.fps) == (24, 0.0)
    assert (paper.learning_rate, paper.ema, paper.weight_decay) == (
        chosen.learning_rate,
        chosen.ema,
        chosen.weight_decay,
    )
    assert paper.replace(recipe="modern", sampling="window") == config
    assert config.replace(recipe="paper", learning_rate=0.3).learning_rate == 0.3


# ---- going on from a trained model


@pytest.mark.parametrize("task", TASKS)
def test_fine_tuning_keeps_all_settings_but_takes_smaller_and_fewer_steps(task):
    base = Config(task=task, frames=27, epochs=50, learning_rate=0.02, dropout=0.125, seed=5, ema=0.5)
    fine = base.fine_tuning("runs/a")
    assert (fine.start, fine.epochs, fine.learning_rate) == ("runs/a", 5, pytest.approx(0.002))
    assert fine.replace(start="", epochs=50, learning_rate=0.02) == base
    # However few they were, one is left; what is named stands.
    assert base.replace(epochs=4).fine_tuning("runs/a").epochs == 1
    said = base.fine_tuning("runs/a", epochs=7, learning_rate=0.5, dropout=0.0, quantize_aware=True)
    assert (said.epochs, said.learning_rate, said.dropout, said.quantize_aware) == (7, 0.5, 0.0, True)


@pytest.mark.parametrize("task", TASKS)
def test_fine_tuning_for_zeros_averages_no_weights(task):
    base = Config(task=task, ema=0.9)
    assert base.fine_tuning("runs/a", prune=0.5).ema == 0
    assert base.fine_tuning("runs/a").ema == 0.9
    with pytest.raises(ValueError, match="--prune wants --ema 0"):
        base.fine_tuning("runs/a", prune=0.5, ema=0.8)


def test_fine_tuning_a_compressed_run_compresses_only_where_it_is_said_again():
    pruned = Config(ema=0.9).fine_tuning("runs/a", prune=0.5, quantize_aware=True)
    again = pruned.fine_tuning("runs/b")
    assert (again.prune, again.quantize_aware, again.start) == (0.0, False, "runs/b")


def test_fine_tuning_for_the_other_task_is_refused_with_the_names_of_both():
    assert Config().fine_tuning("runs/a", task="lift").task == "lift"
    with pytest.raises(ValueError, match="--from runs/a is a model of --task lift; got --task action"):
        Config().fine_tuning("runs/a", task="action")
