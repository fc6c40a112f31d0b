"""The export of a run: an app finds all that it needs in one folder, and what is wrong leaves nothing."""

import hashlib
import io
import json
import os
import shutil
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from rich.console import Console

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

from skelgnn_tf import checkpoints
from skelgnn_tf.export import calibration, contract
from skelgnn_tf.export.export import export
from skelgnn_tf.export.folder import check_folder
from skelgnn_tf.export.formats import tflite
from skelgnn_tf.inference.runner import Runner, read_contract
from skelgnn_tf.models.build import build_model
from skelgnn_tf.skeletons import BLAZEPOSE_33
from support import tiny_actions, tiny_export, tiny_h36m
from support.export_command import a_run, a_small_run, call, mistake, told
from support.tiny_export import action_config, lift_config

#: All that an export holds.
FILES = {"model.tflite", "model.onnx", "contract.json", "golden.json"}
#: An export of version 0.1.
OLD = Path(__file__).parents[1] / "fixtures" / "v0_1" / "export"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_h36m.write(tmp_path_factory.mktemp("h36m"))


@pytest.fixture(scope="module")
def live(tmp_path_factory, data):
    """A run folder of a causal lifter."""
    config = lift_config(causal=True, dataset=("h36m",), data_dir=(str(data),))
    return a_run(tmp_path_factory.mktemp("runs") / "walk", tiny_export.lived_in(config), config)


@pytest.fixture(scope="module")
def exported(tmp_path_factory, live):
    """Both files of the lifter for BlazePose, and what was printed; compared on all the clips."""
    console = Console(file=io.StringIO(), width=120)
    folder = tmp_path_factory.mktemp("exported") / "walk"
    made = export(live, folder, formats=("tflite", "onnx"), layout="blazepose_33", console=console)
    assert made == folder
    return folder, console.file.getvalue()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder; few windows are compared."""
    monkeypatch.setattr(calibration, "WINDOWS", 20)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def small(here, data):
    return a_small_run(here, data)


# ---- what an app finds


def test_the_folder_holds_files_contract_and_golden_values_and_nothing_else(exported):
    folder, _ = exported
    assert {file.name for file in folder.iterdir()} == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["walk"]


def test_the_contract_says_what_an_app_must_know(exported, live):
    folder, _ = exported
    model = checkpoints.load(live).model
    found = told(folder)
    for key, value in {
        "format": 1,
        "name": "walk",
        "task": "lift",
        "keypoint_layout": "blazepose_33",
        "keypoint_joints": list(BLAZEPOSE_33.joints),
        "frames": 3,
        "persons": 1,
        "causal": True,
        "look_ahead_frames": 0,
        "flip": False,
        "classes": [],
        "protocol": "camera",
        "keypoint_frame": "person",
        "training_data": "h36m",
        "skeleton": model.skeleton.get_config(),
        "weights": sum(w.size for w in model.get_weights()),
        "weights_sha256": contract.weights_sha256(model),
    }.items():
        assert found[key] == value, key
    assert found["inputs"]["keypoints"]["shape"] == [1, 3, 33, 3] and "pixels" in found["inputs"]["keypoints"]["unit"]
    assert found["outputs"]["pose_m"]["shape"] == [1, 1, 17, 3] and found["outputs"]["pose_m"]["unit"] == "metres"
    assert "y down" in found["outputs"]["pose_m"]["axes"]
    assert set(found["signatures"]) == {"serving_default", "step"}
    assert {"skelgnn-tf", "tensorflow", "keras", "ai-edge-litert", "tf2onnx"} <= set(found["versions"]) and found[
        "licence"
    ]


def test_the_contract_has_the_numbers_of_each_file(exported):
    folder, _ = exported
    for name, entry in told(folder)["files"].items():
        content = (folder / name).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest() and entry["bytes"] == len(content)
        assert entry["quantization"] == "none" and "broken_bound" not in entry
        verification = entry["verification"]
        assert verification["clips"].startswith("240 windows of h36m (test split), whose h36m_17 joints stand for")
        assert verification["score"] == "MPJPE mm" and verification["keras"] > 0
        assert abs(verification["lost"]) < 0.1 and verification["largest_difference"] <= 1e-4
    entry = told(folder)["files"]["model.tflite"]
    assert entry["xnnpack_partitions"] == 1 and abs(sum(op["share"] for op in entry["time_by_op"]) - 1) < 1e-6


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
def test_the_contract_inside_a_file_is_the_one_next_to_it(exported, name):
    folder, _ = exported
    outside = told(folder)
    entry = outside.pop("files")[name]
    own = {key: entry[key] for key in ("quantization", "signatures", "guards", "minimum_runtime")}
    assert read_contract(folder / name) == outside | own
    assert ("step" in own["signatures"]) == (name == "model.tflite") and own["quantization"] == "none"


def test_each_file_names_its_oldest_runtime(exported):
    files = told(exported[0])["files"]
    needed = {name: entry["minimum_runtime"] for name, entry in files.items()}
    assert (needed["model.tflite"]["name"], needed["model.onnx"]["name"]) == ("LiteRT", "onnxruntime")
    # onnxruntime 1.12 is the first with opset 17, and reads the format up to version 8.
    model = onnx.load(exported[0] / "model.onnx")
    assert needed["model.onnx"]["version"] == "1.12.0" and model.ir_version <= 8
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == files["model.onnx"]["opset"] == 17
    # 2.3 brought BATCH_MATMUL; 32-bit numbers need nothing younger.
    assert needed["model.tflite"]["operators_since"] == "2.3.0"
    assert "BATCH_MATMUL" in tflite.operators((exported[0] / "model.tflite").read_bytes())


def read_golden(folder):
    return json.loads((folder / "golden.json").read_text())


def arrays(values):
    return {name: np.array(array, np.float32) for name, array in values.items()}


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
def test_the_files_reproduce_the_golden_values(exported, name):
    folder, _ = exported
    golden = read_golden(folder)
    assert (
        golden["format"] == 2
        and golden["file"] == "model.tflite"
        and set(golden["files"]) == set(FILES & set(told(folder)["files"]))
    )
    assert golden["clips"].startswith("h36m (test split)") and len(golden["cases"]) == 3
    values = golden["files"][name]
    assert values["sha256"] == told(folder)["files"][name]["sha256"]
    runner, poses = Runner(folder / name), []
    for case, outputs in zip(golden["cases"], values["outputs"], strict=True):
        found = runner.run(**arrays(case["inputs"]))
        assert found.keys() == outputs.keys() == {"pose_m", "confidence"}
        for output, expected in arrays(outputs).items():
            np.testing.assert_allclose(found[output], expected, atol=1e-6)
        poses.append(found["pose_m"])
    assert min(np.abs(poses[i] - poses[i - 1]).max() for i in range(3)) > 1e-3
    # An app reads no more than the cases, whose outputs are those of the first file.
    if name == golden["file"]:
        assert [case["outputs"] for case in golden["cases"]] == values["outputs"]


def test_golden_steps_are_the_poses_of_one_frame_after_another(exported):
    folder, _ = exported
    golden = read_golden(folder)
    steps = golden["files"]["model.tflite"]["step"]
    assert "step" not in golden["files"]["model.onnx"]
    runner, state = Runner(folder / "model.tflite"), np.zeros((1, 2, 33, 4), np.float32)
    windows = [arrays(case["inputs"]) for case in golden["cases"]]
    frames = [(window, t) for window in windows for t in range(3)]
    for expected, (window, t) in zip(steps, frames, strict=True):
        keypoints = window["keypoints"][:, t : t + 1]
        out = runner.step(keypoints=keypoints, image_size=window["image_size"], state=state)
        state = out.pop("state")
        assert out.keys() == expected.keys()
        for output, values in arrays(expected).items():
            np.testing.assert_allclose(out[output], values, atol=1e-6)
    # After the last frame of a window, the step has seen what the window holds.
    for case, expected in zip(golden["cases"], steps[2::3], strict=True):
        np.testing.assert_allclose(expected["pose_m"], case["outputs"]["pose_m"], atol=1e-5)


def test_the_verification_is_printed_as_a_table(exported):
    folder, printed = exported
    for name in ("model.tflite", "model.onnx"):
        assert f"{folder / name}: compared with Keras on 240 windows of h36m (test split)" in printed
    for word in ("quantization", "MB", "MPJPE mm", "loss", "1 thread(s)", "2 thread(s)", "FULLY_CONNECTED"):
        assert word in printed
    partitions = next(line for line in printed.splitlines() if "XNNPACK" in line)
    assert [cell.strip() for cell in partitions.strip("│ ").split("│")][:2] == ["XNNPACK partitions", "1"]


def test_the_newest_run_goes_to_the_folder_of_its_name(here, data):
    a_small_run(here, data, skeleton="h36m_17_lcn")
    os.symlink("small", "runs/last")
    result = call("--onnx")
    assert result.exit_code == 0, result.output
    assert {file.name for file in Path("exported/small").iterdir()} == FILES - {"model.tflite"}
    # LCN's extra edges are the graph's, not the detector's.
    assert told(Path("exported/small"))["keypoint_layout"] == "h36m_17"
    assert [path.name for path in Path("exported").iterdir()] == ["small"]


def test_a_recognizer_says_its_classes_and_its_top_1(here):
    tiny_actions.write(here)
    config = action_config(
        dataset=("npz",), data_file=str(here / "actions.npz"), labels=str(here / "labels.txt"), input="pose",
        skeleton="ntu_25", normalization="center", confidence=False,
    )  # fmt: skip
    model = build_model(config, tiny_actions.CLASSES)
    model.set_weights(tiny_export.lived_in(config).get_weights())
    a_run(here / "runs/acts", model, config)
    result = call("runs/acts", "--onnx", "--output", "out")
    assert result.exit_code == 0 and "top-1 %" in result.stdout, result.output
    found = told(here / "out")
    assert found["classes"] == list(tiny_actions.CLASSES) and found["keypoint_layout"] is None
    assert found["inputs"]["pose_m"]["shape"] == [1, 1, 8, 25, 3] and found["sampling"] == "window"
    assert found["files"]["model.onnx"]["verification"]["clips"] == "204 windows of npz (test split)"
    case = read_golden(here / "out")["cases"][0]
    np.testing.assert_allclose(np.sum(case["outputs"]["probabilities"]), 1, atol=1e-5)


def test_a_preset_brings_its_licence(small, here):
    checkpoints.save_preset(small, here / "gift", licence="CC0", trained_on="sways, 2026")
    call(here / "gift", "--onnx", "--output", "out", "--data-dir", checkpoints.load(small).config.data_dir[0])
    found = told(here / "out")
    assert (found["name"], found["licence"], found["training_data"]) == ("gift", "CC0", "sways, 2026")


# ---- what stands there already


@pytest.fixture
def older(exported, here):
    """The export of the lifter again, in a folder of this test."""
    return shutil.copytree(exported[0], here / "out")


def test_the_same_model_again_keeps_its_other_file(older, live):
    before, golden = {name: (older / name).read_bytes() for name in FILES}, read_golden(older)
    entry = told(older)["files"]["model.tflite"]
    result = call(live, "--onnx", "--quantize", "float16", "--keypoint-layout", "blazepose_33", "--output", older)
    assert result.exit_code == 0, result.output
    assert (older / "model.tflite").read_bytes() == before["model.tflite"]
    assert (older / "model.onnx").read_bytes() != before["model.onnx"]
    files = told(older)["files"]
    assert files["model.tflite"] == entry and files["model.onnx"]["quantization"] == "float16"
    for name in files:
        assert files[name]["sha256"] == hashlib.sha256((older / name).read_bytes()).hexdigest()
    # Its values are still those of the file that an app's tests run; 20 windows have the same first and last one.
    found = read_golden(older)
    assert found["file"] == "model.tflite" and set(found["files"]) == set(files)
    for key in ("outputs", "step"):
        assert found["files"]["model.tflite"][key][0] == golden["files"]["model.tflite"][key][0]
    assert {name: values["sha256"] for name, values in found["files"].items()} == {
        name: entry["sha256"] for name, entry in files.items()
    }


def test_a_file_that_its_contract_does_not_describe_is_not_kept_unseen(older, live):
    """As a crash in between may leave it, or a hand that has copied another file there."""
    (older / "model.tflite").write_bytes((older / "model.tflite").read_bytes() + b"x")
    arguments = ["--keypoint-layout", "blazepose_33", "--output", "out"]
    message = mistake(live, "--onnx", *arguments)
    assert message.startswith("out/model.tflite must be the file that the contract next to it describes")
    (older / "model.tflite").unlink()
    assert call(live, "--onnx", *arguments).exit_code == 0


def test_a_file_that_was_taken_away_is_no_longer_listed(older, live):
    (older / "model.tflite").unlink()
    assert call(live, "--onnx", "--keypoint-layout", "blazepose_33", "--output", older).exit_code == 0
    assert list(told(older)["files"]) == ["model.onnx"]


def test_another_model_asks_for_overwrite_and_then_leaves_nothing_of_the_first(older, small):
    message = mistake(small, "--onnx", "--output", "out")
    assert "holds another model" in message and "walk" in message and "--overwrite" in message
    result = call(small, "--onnx", "--output", "out", "--overwrite")
    assert result.exit_code == 0, result.output
    assert {file.name for file in older.iterdir()} == FILES - {"model.tflite"}
    assert told(older)["name"] == "small" and list(told(older)["files"]) == ["model.onnx"]


def test_the_same_model_for_another_layout_takes_the_place_of_all_files(older, live):
    assert call(live, "--onnx", "--keypoint-layout", "coco_17", "--output", "out").exit_code == 0
    assert {file.name for file in older.iterdir()} == FILES - {"model.tflite"}
    assert told(older)["keypoint_layout"] == "coco_17" and list(told(older)["files"]) == ["model.onnx"]


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ("out/notes.txt", "out must be empty or an export"),
        ("out", "out is a file"),
        ("out/model.tflite", "without a valid contract.json"),
        ("out/contract.json", "without a valid contract.json"),
        ("out/model.json", "without a valid contract.json"),
    ],
)
def test_what_stands_in_the_way_is_kept_and_named(small, here, there, message):
    (here / there).parent.mkdir(exist_ok=True)
    (here / there).write_text("mine")
    told = mistake(small, "--onnx", "--output", "out")
    assert message in told and ("notes.txt" in told) == ("notes.txt" in there)


def test_a_file_cannot_take_an_export(here):
    (here / "out").write_text("mine")
    with pytest.raises(ValueError, match=r"out must be a folder\. Received: a file"):
        check_folder(here / "out", "", overwrite=True)


# ---- exports of version 0.1, whose contract is model.json


@pytest.fixture
def old(here):
    """An export of version 0.1 and a run with the weights that it was made from."""
    lifter = shutil.copytree(OLD.parent / "lifter", here / "runs/lifter")
    return shutil.copytree(OLD, here / "out"), lifter


def test_an_old_export_of_the_same_weights_gets_a_new_contract_and_keeps_its_other_file(old):
    folder, lifter = old
    before, entry = (folder / "model.tflite").read_bytes(), told_by_version_0_1()["files"]["model.tflite"]
    result = call(lifter, "--onnx", "--keypoint-layout", "coco_17", "--output", "out")
    assert result.exit_code == 0, result.output
    assert {file.name for file in folder.iterdir()} == FILES
    assert (folder / "model.tflite").read_bytes() == before and told(folder)["files"]["model.tflite"] == entry
    # All but the versions, and the numbers of the file that is new.
    changing = {"versions", "files"}
    assert {k: v for k, v in told(folder).items() if k not in changing} == {
        k: v for k, v in told_by_version_0_1().items() if k not in changing
    }
    for name in ("model.tflite", "model.onnx"):
        assert Runner(folder / name).contract["weights_sha256"] == told(folder)["weights_sha256"]


def test_an_old_export_of_other_weights_asks_for_overwrite_and_then_leaves_nothing_of_itself(old, small):
    folder, _ = old
    message = mistake(small, "--onnx", "--output", "out")
    assert "out holds another model (lifter)" in message and "--overwrite" in message
    result = call(small, "--onnx", "--output", "out", "--overwrite")
    assert result.exit_code == 0, result.output
    assert {file.name for file in folder.iterdir()} == FILES - {"model.tflite"}
    assert told(folder)["name"] == "small"


def told_by_version_0_1():
    return json.loads((OLD / "model.json").read_text())
