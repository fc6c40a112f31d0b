"""benchmarks/speed/action_speed.py: what it compares is the same, and it prints what it promises."""

import tempfile
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from click.testing import CliRunner

from skelgnn_tf.skeletons import NTU_25, Skeleton
from support import oracles
from support.benchmark_output import number, rows, run
from support.oracles import value

# A side branch, and hops up to 4.
TWIG = Skeleton("twig", tuple("abcdef"), (-1, 0, 1, 2, 3, 1), tuple(range(6)))
TINY = ["--size", "small", "--frames", 8, "--channels", 4, "--batch", 2, "--repeats", 1]


class Scripts(NamedTuple):
    """The benchmark and its parts as modules."""

    action_speed: object
    formulations: object
    tflite_recognizer: object


@pytest.fixture(scope="module")
def scripts(load):
    return Scripts(*(load(name) for name in Scripts._fields))


# ---- what is compared


def random_layer(formulations, dynamic, **options):
    """A layer with a random value in every weight, and x (batch, frames, joints, channels) for it."""
    options = {"skeleton": TWIG, "short_hops": 1, "max_hops": 3, "squeeze": 0.5, **options}
    layer = oracles.randomize(formulations.recognition_layer(8, 5, dynamic, **options))
    shape = (2, 5, layer.skeleton.num_joints, 8)
    return layer, np.random.default_rng(1).normal(size=shape).astype(np.float32)


def by_the_formula(layer, x):
    """h_k = A_k X W_k, fused, as einsums over all joints at once; A_k, where dynamic, as in docs/method.md."""
    hops, (_, frames, joints, c_in) = oracles.hops(layer.skeleton), x.shape
    if layer.dynamic:
        taps = value(layer.graph.embedding.w)[:, 0]
        reach = len(taps) // 2
        edges = np.concatenate([x[:, :1]] * reach + [x] + [x[:, -1:]] * reach, axis=1)
        both = sum(np.einsum("btjc,cd->btjd", edges[:, f : f + frames], tap) for f, tap in enumerate(taps))
        groups, width = len(layer.groups), layer.graph.width
        theta, phi = both.reshape(*x.shape[:3], 2, groups, width).transpose(3, 0, 1, 2, 4, 5)
        o = np.tanh(np.einsum("btikc,btjkc->bkij", theta, phi) / (frames * np.sqrt(width)))
        graph = value(layer.graph.m) + value(layer.graph.alpha)[:, None, None] * o
    else:
        far = range(layer.short_hops + 1, layer.max_hops + 1)
        groups = [hops <= layer.short_hops, *(hops == k for k in far)]
        graph = np.broadcast_to([oracles.normalized(group) for group in groups], (len(x), len(groups), joints, joints))
    widths = [layer.channels, *oracles.squeezed_widths(layer.squeeze, layer.short_hops, layer.max_hops, c_in)]
    matrices = np.split(value(layer.w), np.cumsum(widths)[:-1], axis=1)
    h = [np.einsum("bij,btjc,cd->btid", graph[:, k], x, w) for k, w in enumerate(matrices)]
    return h[0] + np.concatenate(h[1:], axis=-1) @ value(layer.w_a) + value(layer.b)


@pytest.mark.parametrize("dynamic", [True, False])
def test_every_formulation_of_shared_weights_is_the_layers_output(scripts, dynamic):
    layer, x = random_layer(scripts.formulations, dynamic)
    ways = scripts.formulations.whole_layer_formulations(layer)
    assert len(ways) == (3 if dynamic else 4)
    for name, way in ways.items():
        found = way.product(tf.constant(x))
        np.testing.assert_allclose(found, by_the_formula(layer, x), atol=1e-4, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("dynamic", [True, False])
def test_every_formulation_has_the_layers_gradients(scripts, dynamic):
    layer, x = random_layer(scripts.formulations, dynamic)
    ways = scripts.formulations.whole_layer_formulations(layer)
    # All have the layer's own variables, so the gradients by the weights are compared as well.
    assert all(way.weights is ways[scripts.formulations.OWN].weights for way in ways.values())
    assert len(ways[scripts.formulations.OWN].weights) == len(layer.trainable_weights)
    scripts.formulations.check_agreement(ways, x)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda own: lambda x: own(x) * 1.001, "wrong: the output is off"),
        (lambda own: lambda x: own(tf.stop_gradient(x)) + 0 * tf.reduce_sum(x), "wrong: the gradient by x is off"),
        (lambda own: lambda x: own(x) * np.nan, "wrong: the output is off by nan"),
    ],
)
def test_a_formulation_with_another_result_or_gradient_is_not_timed(scripts, break_it, message):
    layer, x = random_layer(scripts.formulations, dynamic=True)
    own = scripts.formulations.whole_layer_formulations(layer)[scripts.formulations.OWN]
    wrong = scripts.formulations.Formulation(own.weights, break_it(own.product))
    with pytest.raises(ValueError, match=message):
        scripts.formulations.check_agreement({"right": own, "wrong": wrong}, x)


def test_a_formulation_with_another_gradient_by_a_weight_is_not_timed(scripts):
    layer, x = random_layer(scripts.formulations, dynamic=True)
    own = scripts.formulations.whole_layer_formulations(layer)[scripts.formulations.OWN]

    def without_bias_gradient(x):
        return own.product(x) - layer.b + tf.stop_gradient(layer.b.value)

    wrong = scripts.formulations.Formulation(own.weights, without_bias_gradient)
    with pytest.raises(ValueError, match="wrong: the gradient by weight"):
        scripts.formulations.check_agreement({"right": own, "wrong": wrong}, x)


def test_the_timed_layer_is_the_papers(scripts):
    layer = scripts.formulations.recognition_layer(64, 64, dynamic=True)
    settings = (layer.skeleton, layer.short_hops, layer.max_hops, layer.squeeze, layer.sharing)
    assert settings == (NTU_25, 5, 7, 1 / 8, "shared")


def test_all_streams_are_trained_and_nothing_else_of_them_differs(scripts):
    variants, settings = scripts.action_speed.VARIANTS, scripts.action_speed.Settings(("small",), 8, 4, 2, 2, 1)
    joint = settings.config("small", **variants["joint"])
    for stream in ("bone", "joint_motion", "bone_motion"):
        assert settings.config("small", **variants[stream]) == joint.replace(stream=stream)
    assert joint.stream == "joint" and joint.recipe == "modern"
    plain = settings.config("small", **variants["one-hop GCN"])
    assert (plain.short_hops, plain.max_hops, plain.dynamic, plain.stream) == (1, 1, False, "joint")


# ---- one clip


@pytest.fixture(scope="module")
def latency(scripts):
    """What the latency section prints, and the models and `.tflite` contents that it made on the way."""
    made = []

    def export(model, config, file):
        difference = scripts.tflite_recognizer.export(model, config, file)
        made.append((model, config, file.read_bytes()))
        return difference

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scripts.action_speed, "export", export)
        return run(scripts.action_speed, "--only", "latency", *TINY), made


def test_the_latency_section_has_both_runners_of_both_streams(latency):
    table = rows(latency[0])
    runners = ["Keras", "LiteRT, 1 thread", "LiteRT, 2 threads"]
    assert [row[:2] for row in table] == [[stream, name] for stream in ("joint", "bone_motion") for name in runners]
    for row in table:
        assert number(row[2]) > 0
        assert (row[5:] == ["", ""]) if row[1] == "Keras" else number(row[6]) <= 1e-4


def test_the_timed_file_gives_keras_probabilities_of_clips_it_was_not_checked_on(scripts, latency):
    for model, _, content in latency[1]:
        interpreter = Interpreter(model_content=content)
        run_file, clips = interpreter.get_signature_runner(), scripts.tflite_recognizer.clips_of(model, 3, seed=5)
        scores = np.exp(value(model(clips)))
        expected = scores / scores.sum(axis=1, keepdims=True)
        # The probabilities differ from clip to clip by far more than the file's from Keras'.
        assert np.ptp(expected, axis=0).max() > 1000 * 1e-5
        found = np.concatenate([run_file(pose_m=clip[None])["probabilities"] for clip in clips])
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_models_are_like_trained_ones_so_that_nothing_hides_a_difference(scripts, latency):
    assert [model.features.stream for model, *_ in latency[1]] == ["joint", "bone_motion"]
    for model, *_ in latency[1]:
        assert value(model(scripts.tflite_recognizer.clips_of(model, 4))).std(axis=0).mean() > 0.3
        assert all(np.all(value(w) > 0) for w in model.weights if w.name == "alpha")


@pytest.mark.parametrize("wrong", [0.01, np.nan])
def test_a_file_with_other_probabilities_is_refused(scripts, latency, tmp_path, wrong):
    model, config, content = latency[1][0]
    (tmp_path / "joint.tflite").write_bytes(content)
    assert scripts.tflite_recognizer.check(tmp_path / "joint.tflite", model) <= 1e-4
    other = scripts.tflite_recognizer.recognizer(config, model.classes)
    other.dense.bias.assign(np.eye(len(model.classes))[0] * wrong)
    with pytest.raises(ValueError, match=r"joint.tflite differs from Keras by"):
        scripts.tflite_recognizer.check(tmp_path / "joint.tflite", other)


# ---- what is printed


def test_the_hcsf_section_has_every_formulation_of_every_stage(scripts, without_tracing):
    table = rows(run(scripts.action_speed, "--only", "hcsf", *TINY))
    assert [row[2:4] for row in table[::7]] == [["4", "8"], ["8", "4"], ["16", "2"]]
    for begin in range(0, len(table), 7):
        dynamic, static = table[begin : begin + 3], table[begin + 3 : begin + 7]
        assert {row[1] for row in dynamic} == {"dynamic"} and {row[1] for row in static} == {"static"}
        names = [row[0] for row in static]
        assert [row[0] for row in dynamic] == names[:3] and names[3] == "masked dense"
        assert dynamic[0][5] == static[0][5] == "1.00 (1.00-1.00)"
        assert all(number(row[4]) > 0 for row in dynamic + static)


@pytest.mark.filterwarnings("ignore:Even though the")
def test_the_training_section_has_every_stream_and_plainer_graphs(scripts, without_tracing):
    table = rows(run(scripts.action_speed, "--only", "training", *TINY))
    assert [row[0] for row in table] == list(scripts.action_speed.VARIANTS)
    parameters = {row[0]: number(row[1]) for row in table}
    # Streams have no weights; each plainer graph has fewer.
    assert len({parameters[stream] for stream in ("joint", "bone", "joint_motion", "bone_motion")}) == 1
    assert parameters["joint"] > parameters["static graph"] > parameters["one-hop GCN"]
    assert table[0][3] == "1.00 (1.00-1.00)" and all(number(row[2]) > 0 for row in table)


@pytest.mark.filterwarnings("ignore:Even though the")
def test_the_pipeline_section_compares_both_samplings_with_training(scripts, without_tracing):
    table = rows(run(scripts.action_speed, "--only", "pipeline", *TINY, "--clips", 12))
    assert [row[0] for row in table] == ["resize", "window"]
    # Both are compared with the same training.
    assert table[0][2] == table[1][2]
    assert all(number(cell) > 0 for row in table for cell in row[1:])


def test_what_cannot_be_measured_is_said_in_one_line(scripts, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    result = CliRunner().invoke(scripts.action_speed.main, ["--only", "pipeline"], catch_exceptions=False)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert result.stderr.startswith("action_speed: ") and "/nowhere" in result.stderr


def test_the_cache_of_clips_is_float16_in_a_file(scripts, tmp_path):
    data = scripts.action_speed.actions(7, tmp_path / "cache")
    assert isinstance(data.train.values, np.memmap) and data.train.values.dtype == np.float16
    assert len(data.train) == 7 and data.train.frames.min() >= 40 and data.train.frames.max() <= 130
    clip = data.train.clip(3)
    assert clip.shape[2:] == (25, 3) and np.all(np.isfinite(clip)) and np.any(clip[0, 1:] != clip[0, :-1])
