"""benchmarks/speed/edge_latency.py: every quantization of a model next to BlazePose's landmark models."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from click.testing import CliRunner

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.models.build import build_model
from support import oracles
from support.benchmark_output import number, rows, run

TINY = LiftConfig(frames=3, channels=4, squeeze=0.5, blocks=1, sharing="shared", dynamic=False, fitness_clips=2)


@pytest.fixture(scope="module")
def script(load):
    return load("edge_latency")


@pytest.fixture(scope="module")
def tables(script, tmp_path_factory):
    """The rows of both tables, of a tiny lifter and a stand-in for BlazePose-lite of 64 weights, and the latter."""
    folder = tmp_path_factory.mktemp("edge_latency")
    checkpoints.save(oracles.randomize(build_model(TINY)), TINY, folder / "tiny.keras")
    weights = tf.constant(np.eye(8, dtype=np.float32))
    graph = tf.function(lambda x: x @ weights, input_signature=[tf.TensorSpec((1, 8))]).get_concrete_function()
    content = tf.lite.TFLiteConverter.from_concrete_functions([graph]).convert()
    for name in ("pose_detection.tflite", "pose_landmark_lite.tflite"):
        (folder / name).write_bytes(content)
    printed = run(
        script, folder / "tiny.keras", "--blazepose", folder, "--quantize", "none", "--quantize", "int8", "--rounds", 2,
        "--threads", 1,
    )  # fmt: skip
    assert "% of BlazePose lite" in printed and "are not in" not in printed
    speed, _, files = printed.partition("files")
    return rows(speed), rows(files), content


def test_every_file_is_in_both_tables_and_blazepose_is_the_measure(tables):
    speed, files, _ = tables
    models = [["BlazePose lite", ""], ["tiny.keras", "none"], ["tiny.keras", "int8"]]
    assert [row[:2] for row in speed] == [row[:2] for row in files] == models
    assert speed[0][4] == speed[0][6] == "100 (100-100)"
    # The stand-in's 64 products may take no time that is shown.
    assert all(row[2] == "1" and number(row[3]) > 0 and number(row[5]) > 0 for row in speed[1:])
    assert all(number(row[4]) > 100 for row in speed[1:])


def test_sizes_accuracy_and_xnnpacks_share_are_those_of_the_files(tables):
    stand_in, plain, int8 = tables[1]
    assert number(stand_in[2]) == round(len(tables[2]) / 1e6, 3) and stand_in[4] == ""
    assert all(number(row[3]) < number(row[2]) for row in (plain, int8))
    assert plain[4].endswith("mm (+0.00%)") or plain[4].endswith("mm (-0.00%)")
    assert all(int(row[5]) >= 1 and 0 < number(row[6]) <= 100 for row in tables[1])


def test_the_windows_of_a_model_reach_its_inputs(script, tables, tmp_path):
    model = build_model(TINY)
    checkpoints.save(oracles.randomize(model), TINY, tmp_path / "tiny.keras")
    (file,) = script.exported(str(tmp_path / "tiny.keras"), ("none",), ())
    assert file.inputs["keypoints"].shape == (1, 3, 33, 3) and file.inputs["keypoints"][..., :2].max() > 10
    invoke = script.invoker(file, 1)
    invoke()
    interpreter = invoke.__self__
    expected = Interpreter(model_content=file.content).get_signature_runner()(**file.inputs)["pose_m"]
    given = [interpreter.get_tensor(entry["index"]) for entry in interpreter.get_output_details()]
    assert any(out.shape == expected.shape and np.array_equal(out, expected) for out in given)
    assert np.abs(expected).max() > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.keras"], "nothing.keras must be a run folder, a .keras file or a preset"),
        (["fitness_9f", "--blazepose", "{tmp}"], "the file must hold a .tflite model"),
    ],
)
def test_what_cannot_be_timed_is_said_in_one_line(script, tmp_path, arguments, message):
    for name in ("pose_detection.tflite", "pose_landmark_lite.tflite"):
        (tmp_path / name).write_text("not a model")
    result = CliRunner().invoke(script.main, [a.format(tmp=tmp_path) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 2 and result.stdout == "" and result.stderr.count("\n") == 1
    assert result.stderr.startswith("edge_latency: ") and message in result.stderr
