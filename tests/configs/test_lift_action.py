"""LiftConfig and ActionConfig: frozen values that refuse what is out of range, of another type or of the other task."""

import dataclasses
import typing

import pytest

from skelgnn_tf.configs import CONFIGS, ActionConfig, LiftConfig, TrainConfig, make_config
from skelgnn_tf.configs.action import RECIPES
from skelgnn_tf.configs.base import AUGMENTATION, COMPRESSION, DATA, MODEL, OPTIMIZATION, flag
from skelgnn_tf.models.build import build_model
from support.config_fields import FIELDS, OF_TASK, TASKS, another_value, changed, field_id

SHARED = {field.name for field in dataclasses.fields(TrainConfig)}
SMALL = {"channels": 4, "squeeze": 0.5}
#: Values of a type that no field, or another one, has.
OTHER_TYPES = {
    int: (1.5, "1", True, None, (1,)),
    float: ("0.5", True, None, (0.5,)),
    bool: (1, 0.0, "true", None),
    str: (1, 0.5, False, None, ("h36m",)),
    tuple[str, ...]: (1, (1,), [None], {"h36m": 1}, None, True),
}


def types(task):
    return typing.get_type_hints(CONFIGS[task])


# ---- defaults


def test_a_config_cannot_be_changed_only_made_anew():
    config = LiftConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.frames = 9
    assert config.replace(frames=9).frames == 9 and config.frames == 1
    for make in (LiftConfig, config.replace, ActionConfig, ActionConfig().replace):
        with pytest.raises(TypeError, match="chanels"):
            make(chanels=64)
    assert hash(config) == hash(LiftConfig()) and config != config.replace(frames=9)


def test_the_default_is_the_papers_recipe():
    config = LiftConfig()
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
    modern, paper = (ActionConfig(recipe=recipe) for recipe in ("modern", "paper"))
    assert ActionConfig() == modern
    for config in (modern, paper):
        assert {name: getattr(config, name) for name in shared} == shared
    differ = {name for name in vars(modern) if getattr(modern, name) != getattr(paper, name)}
    assert differ == {"recipe", "batch_size", "learning_rate", "weight_decay", "label_smoothing", "ema"}
    # The paper's SGD: rate 0.1, batch 64, decay 5e-4, nothing else.
    assert (paper.learning_rate, paper.batch_size, paper.weight_decay) == (0.1, 64, 5e-4)
    assert paper.label_smoothing == paper.ema == 0 < modern.label_smoothing < modern.ema
    # What is named stands in both.
    assert ActionConfig(recipe="paper", batch_size=7, ema=0.5).batch_size == 7
    assert ActionConfig(recipe="paper", batch_size=7, ema=0.5).learning_rate == 0.1


def test_windows_have_a_frame_rate_and_what_is_stretched_has_none():
    assert ActionConfig().sampling == "window" and ActionConfig().fps == 15
    for sampling in ("repeat", "resize"):
        assert ActionConfig(sampling=sampling).fps == 0
    assert ActionConfig(fps=0.0).fps == 0 and LiftConfig().fps == 0


@pytest.mark.parametrize(("task", "field"), OF_TASK, ids=field_id)
def test_every_field_has_a_help_a_group_and_a_default_of_its_declared_type(task, field):
    meta, declared, default = field.metadata, types(task)[field.name], getattr(CONFIGS[task](), field.name)
    assert meta["help"] and meta["help"][0].strip() and meta["help"].endswith(".")
    assert meta["group"] in (DATA, MODEL, AUGMENTATION, OPTIMIZATION, COMPRESSION)
    if declared == tuple[str, ...]:
        assert type(default) is tuple and all(type(one) is str for one in default)
    else:
        assert type(default) is declared
    if meta["by"] is None:
        assert field.default == default
    if meta["choices"]:
        assert declared is str and default in meta["choices"]


def test_a_default_that_follows_another_setting_is_given_for_each_of_its_values():
    following = {task: {n: f for n, f in FIELDS[task].items() if f.metadata["by"] is not None} for task in TASKS}
    assert not following["lift"] and FIELDS["action"]["recipe"].metadata["choices"] == RECIPES
    assert {field.metadata["by"][0] for field in following["action"].values()} == {"recipe", "sampling"}
    for name, field in following["action"].items():
        other, defaults = field.metadata["by"]
        assert tuple(defaults) == FIELDS["action"][other].metadata["choices"], name
        for value, default in defaults.items():
            assert getattr(ActionConfig(**{other: value}), name) == default
            assert type(default) is types("action")[name]


def test_both_tasks_have_the_shared_fields_and_say_which_task_they_are():
    assert SHARED <= set(FIELDS["lift"]) & set(FIELDS["action"])
    assert [(cls.task, cls.task_name) for cls in CONFIGS.values()] == [
        ("lift", "pose lifting"), ("action", "action recognition"),
    ]  # fmt: skip
    assert LiftConfig().task == "lift" and "task" not in FIELDS["lift"]


# ---- what is refused


@pytest.mark.parametrize(("task", "field"), OF_TASK, ids=field_id)
def test_a_value_of_another_type_is_refused_by_the_name_of_its_option(task, field):
    for value in OTHER_TYPES[types(task)[field.name]]:
        with pytest.raises(ValueError) as refused:
            CONFIGS[task](**{field.name: value})
        message = str(refused.value)
        assert message.startswith(f"{flag(field)} must be ") and f"Received: {value!r}." in message
        with pytest.raises(ValueError, match=f"{flag(field)} must be "):
            CONFIGS[task]().replace(**{field.name: value})


def test_an_integer_becomes_a_float_and_a_list_or_a_single_string_a_tuple_and_nothing_else_is_converted():
    config = LiftConfig(learning_rate=1, dataset=["h36m", "fitness"], data_dir="folder")
    assert type(config.learning_rate) is float and config.learning_rate == 1
    assert config.dataset == ("h36m", "fitness") and config.data_dir == ("folder",)
    assert config == LiftConfig(learning_rate=1.0, dataset=("h36m", "fitness"), data_dir=("folder",))


@pytest.mark.parametrize(
    ("task", "field"),
    [(task, field) for task, field in OF_TASK if field.name not in FIELDS[TASKS[1 - TASKS.index(task)]]],
    ids=field_id,
)
def test_a_field_of_the_other_task_is_refused_with_the_names_of_both(task, field):
    other = TASKS[1 - TASKS.index(task)]
    with pytest.raises(ValueError) as refused:
        make_config(other, {field.name: another_value(task, field)})
    assert str(refused.value) == (
        f"{flag(field)} is only valid for {CONFIGS[task].task_name}. This is {CONFIGS[other].task_name}."
    )
    assert not hasattr(CONFIGS[other](), field.name)


@pytest.mark.parametrize("task", ["sing", "", None, 3, ["lift"]])
def test_a_task_that_there_is_not_is_refused(task):
    with pytest.raises(ValueError, match="task must be one of lift, action. Received: "):
        make_config(task, {})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"views": "all"}, "--views must be one of file, random. Received: all."),
        ({"protocol": "image"}, "--protocol must be one of camera, pixel. Received: image."),
        ({"skeleton": "h36m"}, "--skeleton must be one of h36m_17, .*. Received: h36m."),
        ({"skeleton": "coco_17"}, "--skeleton must be one of h36m_17, .*. Received: coco_17."),
        ({"skeleton": "auto"}, "--skeleton must be one of h36m_17, .*. Received: auto."),
        ({"channels": 0}, "--channels must be at least 1. Received: 0."),
        ({"frames": 4}, r"--frames must be odd \(1, 9, 27, 81\). Received: 4."),
        ({"squeeze": 0.0}, "--squeeze must be above 0 and at most 1. Received: 0.0."),
        ({"squeeze": 1.5}, "--squeeze must be above 0 and at most 1. Received: 1.5."),
        ({"squeeze": float("nan")}, "--squeeze must be above 0 and at most 1. Received: nan."),
        ({"max_hops": 0}, r"--short-hops must be at most --max-hops \(0\). Received: 1."),
        ({"sharing": "gcn"}, "--sharing must be one of pair, shared. Received: gcn."),
        ({"keypoint_frame": "box"}, "--keypoint-frame must be one of screen, person. Received: box."),
        ({"frames": 0}, "--frames must be at least 1. Received: 0."),
        ({"epochs": 0}, "--epochs must be at least 1. Received: 0."),
        ({"batch_size": -1}, "--batch-size must be at least 1. Received: -1."),
        ({"stride": 0}, "--stride must be at least 1. Received: 0."),
        ({"limit_train": -5}, "--limit-train must be at least 0. Received: -5."),
        ({"dropout": 1.0}, "--dropout must be less than 1. Received: 1.0."),
        ({"validation": 1.0}, "--validation must be less than 1. Received: 1.0."),
        ({"ema": 1.0}, "--ema must be less than 1. Received: 1.0."),
        ({"noise": -0.1}, "--noise must be at least 0. Received: -0.1."),
        ({"noise": float("nan")}, "--noise must be at least 0. Received: nan."),
        ({"learning_rate": float("nan")}, "--learning-rate must be at least 0. Received: nan."),
        ({"seed": -1}, "--seed must be at least 0. Received: -1."),
        ({"joint_drop": 0.1}, "--joint-drop must be used with --confidence"),
        ({"joint_offset": 0.02}, "--joint-offset must be used with --views random"),
        ({"body_variety": 0.1}, "--body-variety must be used with --views random"),
        ({"limb_mix": 0.3}, "--limb-mix must be used with --views random"),
        ({"limb_turn": 10.0}, "--limb-turn must be used with --views random"),
        ({"protocol": "pixel", "views": "random"}, "--protocol pixel must be used with --views file"),
        ({"protocol": "pixel", "keypoint_frame": "person"}, "--protocol pixel must .* --keypoint-frame screen"),
        ({"quantize_aware": True}, "--quantize-aware must be used with --from"),
        ({"prune": 0.5, "ema": 0.9}, "--prune must be used with --ema 0"),
        ({"prune": 1.0}, "--prune must be less than 1. Received: 1.0."),
        ({"prune": -0.1}, "--prune must be at least 0. Received: -0.1."),
        ({"prune": float("nan")}, "--prune must be at least 0. Received: nan."),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_option(values, message):
    for make in (LiftConfig, LiftConfig().replace):
        with pytest.raises(ValueError, match=message) as refused:
            make(**values)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stream": "bones"}, "--stream must be one of joint, bone, .*. Received: bones."),
        ({"normalization": "middle"}, "--normalization must be one of auto, .*. Received: middle."),
        ({"sampling": "crop"}, "--sampling must be one of window, repeat, resize. Received: crop."),
        ({"size": "large"}, "--size must be one of paper, small. Received: large."),
        ({"recipe": "old"}, "--recipe must be one of modern, paper. Received: old."),
        ({"input": "video"}, "--input must be one of auto, pose, keypoints. Received: video."),
        ({"persons": 3}, "--persons must be less than 3. Received: 3."),
        ({"persons": -1}, "--persons must be at least 0. Received: -1."),
        ({"frame_drop": 1.0}, "--frame-drop must be less than 1. Received: 1.0."),
        ({"label_smoothing": 1.0}, "--label-smoothing must be less than 1. Received: 1.0."),
        ({"scaling": 1.0}, "--scaling must be less than 1. Received: 1.0."),
        ({"rotation": -5.0}, "--rotation must be at least 0. Received: -5.0."),
        ({"weight_decay": float("nan")}, "--weight-decay must be at least 0. Received: nan."),
        ({"short_hops": 8}, r"--short-hops must be at most --max-hops \(7\). Received: 8."),
        ({"dataset": ("fitness", "npz")}, "--dataset must name one data set .*. Received: fitness, npz."),
        ({"dataset": ()}, "--dataset must name one data set .*. Received: none."),
        (
            {"fps": 30.0, "sampling": "resize"},
            "--fps and --rate-jitter must be used with --sampling window. Received: --sampling resize.",
        ),
        ({"rate_jitter": 0.2, "sampling": "repeat"}, "must be used with --sampling window. Received: .* repeat."),
        ({"input": "keypoints", "normalization": "view"}, "--normalization must be .* for keypoints. Received: view."),
    ],
)
def test_a_value_that_recognition_does_not_take_is_refused_by_the_name_of_its_option(values, message):
    with pytest.raises(ValueError, match=message) as refused:
        ActionConfig(**values)
    assert "\n" not in str(refused.value)


def test_what_lifting_wants_of_its_frames_and_joints_is_not_wanted_of_recognition():
    config = ActionConfig(frames=32, channels=0, joint_drop=0.1, confidence=False, skeleton="coco_17")
    assert (config.frames, config.channels, config.skeleton) == (32, 0, "coco_17")


# ---- the model


def test_the_model_is_what_the_config_says():
    config = LiftConfig(
        frames=27, channels=6, blocks=2, short_hops=0, max_hops=3, squeeze=0.5, dynamic=False, temporal_kernel=1,
        sharing="shared", dropout=0.1, causal=True, every_frame=True, confidence=True, keypoint_frame="person",
        skeleton="h36m_17_lcn",
    )  # fmt: skip
    made = build_model(config).get_config()
    assert made["skeleton"]["name"] == "h36m_17_lcn"
    shared = set(FIELDS["lift"]) & made.keys() - {"skeleton"}
    assert len(shared) == 14
    assert {name: made[name] for name in shared} == {name: getattr(config, name) for name in shared}
    assert build_model(LiftConfig(**SMALL)).built


def test_the_recognizer_is_what_the_config_says():
    config = ActionConfig(
        input="keypoints", frames=8, persons=2, confidence=True, normalization="box", stream="bone",
        size="small", channels=4, short_hops=1, max_hops=3, squeeze=0.5, dynamic=False, temporal_kernel=1, dropout=0.1,
        rotation=5.0, scaling=0.2, shear=0.1, joint_drop=0.05, seed=7, skeleton="coco_17",
    )  # fmt: skip
    model = build_model(config, ("sit", "stand", "wave"))
    made = model.get_config()
    assert made["skeleton"]["name"] == "coco_17" and made["classes"] == ["sit", "stand", "wave"] and made["dims"] == 2
    shared = set(FIELDS["action"]) & made.keys() - {"skeleton"}
    assert len(shared) == 18
    assert {name: made[name] for name in shared} == {name: getattr(config, name) for name in shared}
    assert model.built and model.input_channels == 3


# ---- other values


@pytest.mark.parametrize(("task", "field"), OF_TASK, ids=field_id)
def test_one_field_can_be_another_and_back(task, field):
    config = changed(task, field)
    assert getattr(config, field.name) == another_value(task, field) != getattr(CONFIGS[task](), field.name)
    assert config.replace() == config
    assert config.replace(**CONFIGS[task]().to_dict()) == CONFIGS[task]()


def test_another_recipe_or_sampling_brings_its_own_defaults_but_keeps_what_was_chosen():
    config = ActionConfig(batch_size=24)
    paper, chosen = config.replace(recipe="paper", sampling="resize"), ActionConfig(recipe="paper")
    assert (paper.batch_size, paper.fps) == (24, 0.0)
    assert (paper.learning_rate, paper.ema, paper.weight_decay) == (
        chosen.learning_rate,
        chosen.ema,
        chosen.weight_decay,
    )
    assert paper.replace(recipe="modern", sampling="window") == config
    assert config.replace(recipe="paper", learning_rate=0.3).learning_rate == 0.3


# ---- continuing from a trained model


@pytest.mark.parametrize("task", TASKS)
def test_fine_tuning_keeps_all_settings_but_takes_smaller_and_fewer_steps(task):
    base = CONFIGS[task](frames=27, epochs=50, learning_rate=0.02, dropout=0.125, seed=5, ema=0.5)
    fine = base.fine_tuning("runs/a")
    assert (fine.start, fine.epochs, fine.learning_rate) == ("runs/a", 5, pytest.approx(0.002))
    assert fine.replace(start="", epochs=50, learning_rate=0.02) == base
    # However few they were, one is left; what is named stands.
    assert base.replace(epochs=4).fine_tuning("runs/a").epochs == 1
    said = base.fine_tuning("runs/a", epochs=7, learning_rate=0.5, dropout=0.0, quantize_aware=True)
    assert (said.epochs, said.learning_rate, said.dropout, said.quantize_aware) == (7, 0.5, 0.0, True)


@pytest.mark.parametrize("task", TASKS)
def test_fine_tuning_for_zeros_averages_no_weights(task):
    base = CONFIGS[task](ema=0.9)
    assert base.fine_tuning("runs/a", prune=0.5).ema == 0
    assert base.fine_tuning("runs/a").ema == 0.9
    with pytest.raises(ValueError, match="--prune must be used with --ema 0"):
        base.fine_tuning("runs/a", prune=0.5, ema=0.8)


def test_fine_tuning_a_compressed_run_compresses_only_where_it_is_said_again():
    pruned = LiftConfig(ema=0.9).fine_tuning("runs/a", prune=0.5, quantize_aware=True)
    again = pruned.fine_tuning("runs/b")
    assert (again.prune, again.quantize_aware, again.start) == (0.0, False, "runs/b")


def test_fine_tuning_stays_with_its_task():
    with pytest.raises(TypeError, match="task"):
        LiftConfig().fine_tuning("runs/a", task="action")
    with pytest.raises(TypeError, match="stream"):
        LiftConfig().fine_tuning("runs/a", stream="bone")
