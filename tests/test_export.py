"""The exported file: what a phone's runtime reads from it is what Keras says, and what is wrong leaves nothing."""

import dataclasses

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from skelgnn_tf.config import Config, build_model, save_model
from skelgnn_tf.export.tflite import comparison_windows, export, verify

WINDOW = Config(frames=9, channels=8)
LIVE = Config(
    frames=3, channels=8, causal=True, every_frame=True, confidence=True, keypoint_frame="person", sharing="shared"
)


def lived_in(config, seed):
    """A model whose every weight matters: fresh ones hold zeros (alpha, biases) that would hide what is left out."""
    keras.utils.set_random_seed(seed)
    model = build_model(config)
    rng = np.random.default_rng(seed)
    model.set_weights([w + rng.uniform(0.02, 0.3, w.shape) * (w.ndim < 2 or w.std() == 0) for w in model.get_weights()])
    return model


def keypoints_of(config, num_windows, seed):
    """Screen keypoints, some missing (with confidence 0 and coordinates of anything)."""
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(-1, 1, (num_windows, config.frames, 17, 3 if config.confidence else 2)).astype("f4")
    if config.confidence:
        keypoints[..., 2] = rng.choice([0, 0.4, 1], keypoints.shape[:-1])
        keypoints[0, :, :, 2] = 0
    return keypoints


@pytest.fixture(scope="module", params=[WINDOW, LIVE], ids=["window", "live"])
def exported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    model = lived_in(request.param, seed=1)
    save_model(model, request.param, folder / "lifter.keras")
    return model, request.param, export(folder / "lifter.keras", folder / "out")


def test_the_reloaded_file_gives_the_numbers_of_keras(exported):
    model, config, file = exported
    keypoints = keypoints_of(config, 5, seed=2)
    expected = model.predict(keypoints, verbose=0)
    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    for window, pose_m in zip(keypoints, expected, strict=True):
        interpreter.set_tensor(taken["index"], window[None])
        interpreter.invoke()
        np.testing.assert_allclose(interpreter.get_tensor(given["index"])[0], pose_m, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 100 * 1e-5, "a model that always says the same would prove nothing"


def test_shapes_are_static_and_inputs_and_outputs_are_named(exported):
    _, config, file = exported
    interpreter = Interpreter(str(file))
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["keypoints"], "outputs": ["pose_m"]}}
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    channels, frames_out = (3 if config.confidence else 2), (config.frames if config.every_frame else 1)
    assert taken["shape_signature"].tolist() == [1, config.frames, 17, channels]
    assert given["shape_signature"].tolist() == [1, frames_out, 17, 3]
    assert taken["dtype"] == given["dtype"] == np.float32


def test_the_file_holds_builtin_operations_alone(exported):
    *_, file = exported
    model = schema.Model.GetRootAs(file.read_bytes())
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    assert codes
    assert [code.CustomCode() for code in codes if code.CustomCode()] == []
    assert schema.BuiltinOperator.CUSTOM not in {code.BuiltinCode() for code in codes}


def test_one_line_says_what_was_written_and_nothing_else_is_left(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/evening").mkdir(parents=True)
    save_model(lived_in(LIVE, seed=3), LIVE, tmp_path / "runs/evening/model.keras")
    older = tmp_path / "exported/evening/model.tflite"
    older.parent.mkdir(parents=True)
    older.write_bytes(b"older")
    file = export("runs/evening")
    printed = capfd.readouterr()
    assert str(file) == "exported/evening/model.tflite" and file.read_bytes() != b"older"
    assert [f.name for f in file.parent.iterdir()] == [file.name]
    assert printed.out.count("\n") == 1 and not printed.err
    assert all(word in printed.out for word in (str(file), f"{file.stat().st_size / 1e6:.2f} MB", "fitness"))


def test_a_file_of_another_model_is_refused(exported):
    model, config, file = exported
    keypoints = keypoints_of(config, 3, seed=5)
    assert verify(file, model, keypoints)[0] < 1e-5
    with pytest.raises(ValueError, match="differs from Keras"):
        verify(file, lived_in(config, seed=4), keypoints)


def test_a_model_that_gives_no_numbers_leaves_no_file(tmp_path):
    model = build_model(WINDOW)
    model.set_weights([np.full_like(w, np.nan) for w in model.get_weights()])
    save_model(model, WINDOW, tmp_path / "broken.keras")
    with pytest.raises(ValueError, match="differs from Keras by nan"):
        export(tmp_path / "broken.keras", tmp_path / "out")
    assert [f.name for f in tmp_path.iterdir()] == ["broken.keras"]


@pytest.mark.parametrize(("there", "message"), [("folder", "holds notes.txt"), ("file", "is a file")])
def test_what_stands_in_the_way_is_kept_and_named(tmp_path, there, message):
    save_model(build_model(WINDOW), WINDOW, tmp_path / "a.keras")
    target = tmp_path / "mine"
    kept = target / "notes.txt" if there == "folder" else target
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    with pytest.raises(ValueError, match=message):
        export(tmp_path / "a.keras", target)
    assert kept.read_text() == "mine"
    assert not list(target.glob("*.tflite")) if there == "folder" else True


def test_a_model_of_pixels_is_refused(tmp_path):
    config = dataclasses.replace(WINDOW, protocol="pixel")
    save_model(build_model(config), config, tmp_path / "pixel.keras")
    with pytest.raises(ValueError, match="--protocol camera"):
        export(tmp_path / "pixel.keras", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_real_clips_are_compared_where_their_files_are(shared_data, tmp_path):
    here = WINDOW.replace(dataset=("h36m",), data_dir=(str(shared_data / "cmu_mocap"),))
    gone = here.replace(data_dir=(str(tmp_path / "gone"),))
    model = build_model(here)
    for config, what in ((here, "h36m"), (gone, "fitness")):
        keypoints, name = comparison_windows(model, config)
        assert name == what and len(keypoints) >= 200
        assert keypoints.shape[1:] == (9, 17, 2) and np.isfinite(keypoints).all()
