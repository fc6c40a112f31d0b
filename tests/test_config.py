"""Config: a frozen value that refuses what is out of range; the `.keras` file that carries it."""

import dataclasses
import json
import zipfile

import keras
import numpy as np
import pytest

from skelgnn_tf.config import Config, build_model, load_model, save_model

SMALL = {"channels": 4, "squeeze": 0.5}


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


def another_value(field):
    if field.metadata["choices"]:
        return next(choice for choice in field.metadata["choices"] if choice != field.default)
    if isinstance(field.default, bool):
        return not field.default
    if isinstance(field.default, tuple):
        return ("h36m", "fitness")
    if isinstance(field.default, str):
        return "cpn_ft_h36m_dbb"
    return field.default / 2 if isinstance(field.default, float) and field.default else field.default + 0


@pytest.mark.parametrize("field", dataclasses.fields(Config), ids=lambda f: f.name)
def test_every_field_survives_json(field):
    # Each of these is allowed only together with another.
    needs = {"protocol": {"views": "file"}}.get(field.name, {})
    config = Config(**needs, **{field.name: another_value(field)})
    again = Config.from_json(config.to_json())
    assert again == config
    assert type(getattr(again, field.name)) is type(getattr(config, field.name))
    assert field.metadata["help"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"views": "all"}, "--views wants file or random; got 'all'"),
        ({"protocol": "image"}, "--protocol wants camera or pixel; got 'image'"),
        ({"skeleton": "h36m"}, "--skeleton wants h36m_17 or .*; got 'h36m'"),
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
        ({"protocol": "pixel", "views": "random"}, "--protocol pixel .* --views file"),
        ({"protocol": "pixel", "keypoint_frame": "person"}, "--protocol pixel .* --keypoint-frame screen"),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_option(values, message):
    with pytest.raises(ValueError, match=message) as refused:
        Config(**values)
    assert "\n" not in str(refused.value)


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
