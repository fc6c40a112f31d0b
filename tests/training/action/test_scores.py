"""Scores of actions against nested loops and properties; fusion against weighted sums written out."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelgnn_tf.training.action.scores import fuse, score_actions


def random_scores(seed=0, clips=200, num_classes=7, skill=1.5):
    """Softmax of noise that leans towards the truth; class 0 has no clips where there are more than three."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(num_classes > 3, num_classes, clips)
    logits = rng.normal(size=(clips, num_classes))
    logits[np.arange(clips), labels] += skill
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True), labels, [f"class {chr(97 + i)}" for i in range(num_classes)]


def ranking(row):
    """Classes of one clip, the most probable first, equals in their order."""
    return sorted(range(len(row)), key=lambda c: (-row[c], c))


def slow_mean(values):
    values = list(values)
    return sum(values) / len(values)


@pytest.mark.parametrize("num_classes", [2, 4, 7, 13])
def test_scores_agree_with_nested_loops(num_classes):
    probabilities, labels, classes = random_scores(num_classes, num_classes=num_classes)
    scores = score_actions(probabilities, labels, classes)
    ranked = [ranking(row) for row in probabilities.tolist()]
    truth = labels.tolist()
    pairs = [(true, order[0]) for true, order in zip(truth, ranked, strict=True)]
    assert scores["top1"] == pytest.approx(slow_mean(true == best for true, best in pairs))
    assert scores["top5"] == pytest.approx(
        slow_mean(true in order[:5] for true, order in zip(truth, ranked, strict=True))
    )
    assert scores["clips"] == 200 and scores["classes"] == classes
    assert scores["chance"] == max(truth.count(c) for c in range(num_classes)) / 200
    for true in range(num_classes):
        for predicted in range(num_classes):
            assert scores["confusion"][true][predicted] == pairs.count((true, predicted))
    accuracies = [slow_mean(best == c for true, best in pairs if true == c) for c in set(truth)]
    assert scores["mean_class_accuracy"] == pytest.approx(slow_mean(accuracies))


def test_each_class_agrees_with_nested_loops():
    probabilities, labels, classes = random_scores(1, skill=0.7)
    scores = score_actions(probabilities, labels, classes)
    pairs = [(classes[true], classes[ranking(row)[0]]) for row, true in zip(probabilities, labels, strict=True)]
    for name in classes[1:]:
        row = scores["by_class"][name]
        of_it = [predicted for true, predicted in pairs if true == name]
        taken = [true for true, predicted in pairs if predicted == name]
        assert (row["clips"], row["correct"]) == (len(of_it), of_it.count(name))
        assert row["accuracy"] == pytest.approx(of_it.count(name) / len(of_it))
        assert row["precision"] == pytest.approx(taken.count(name) / len(taken))
        others = {other: of_it.count(other) for other in of_it if other != name}
        assert others[row["most_taken_for"]] == max(others.values())


def test_the_ten_most_confused_pairs_are_counted_and_in_order():
    probabilities, labels, classes = random_scores(2, skill=0)
    scores = score_actions(probabilities, labels, classes)
    pairs = [(classes[true], classes[ranking(row)[0]]) for row, true in zip(probabilities, labels, strict=True)]
    counts = {pair: pairs.count(pair) for pair in pairs if pair[0] != pair[1]}
    found = scores["most_confused"]
    assert len(found) == 10 < len(counts)
    shares = {pair: count / sum(true == pair[0] for true, _ in pairs) for pair, count in counts.items()}
    # Of pairs as frequent the larger share of its class comes first, then the first name.
    order = sorted(counts, key=lambda pair: (-counts[pair], -shares[pair], pair))[:10]
    assert [(pair["true"], pair["predicted"]) for pair in found] == order
    assert [(pair["clips"], pair["share"]) for pair in found] == [(counts[pair], shares[pair]) for pair in order]


def test_confusions_in_two_directions_are_two_pairs():
    labels = np.array([0, 0, 0, 0, 1, 1])
    predicted = np.array([1, 1, 1, 0, 0, 0])
    scores = score_actions(np.eye(2)[predicted], labels, ["sit", "stand"])
    assert scores["most_confused"] == [
        {"true": "sit", "predicted": "stand", "clips": 3, "share": 0.75},
        {"true": "stand", "predicted": "sit", "clips": 2, "share": 1.0},
    ]
    assert scores["mean_class_accuracy"] == 0.125 and scores["top1"] == pytest.approx(1 / 6)


@given(st.integers(0, 10_000), st.permutations(range(6)))
def test_the_order_of_the_classes_changes_names_only(seed, order):
    probabilities, labels, classes = random_scores(seed, 40, 6, 0.5)
    before = score_actions(probabilities, labels, classes)
    after = score_actions(probabilities[:, order], np.argsort(order)[labels], [classes[c] for c in order])
    assert after["by_class"] == before["by_class"] and after["most_confused"] == before["most_confused"]
    for key in ("top1", "top5", "chance", "clips"):
        assert after[key] == before[key]
    assert after["mean_class_accuracy"] == pytest.approx(before["mean_class_accuracy"])
    np.testing.assert_array_equal(after["confusion"], np.array(before["confusion"])[np.ix_(order, order)])


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 30))
def test_counts_add_up_for_any_sizes(seed, num_classes, clips):
    probabilities, labels, classes = random_scores(seed, clips, num_classes, 0.5)
    scores = score_actions(probabilities, labels, classes)
    rows = scores["by_class"].values()
    assert np.sum(scores["confusion"]) == clips == sum(row["clips"] for row in rows)
    assert np.trace(scores["confusion"]) == sum(row["correct"] for row in rows) == round(scores["top1"] * clips)
    assert 0 <= scores["top1"] <= scores["top5"] <= 1
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_the_truth_scores_one_and_its_opposite_zero():
    labels = np.arange(60) % 6
    names = list("abcdef")
    best = score_actions(np.eye(6)[labels], labels, names)
    assert best["top1"] == best["top5"] == best["mean_class_accuracy"] == 1 and best["most_confused"] == []
    assert all(row["precision"] == 1 and row["most_taken_for"] is None for row in best["by_class"].values())
    worst = score_actions((1 - np.eye(6)[labels]) / 5, labels, names)
    assert worst["top1"] == worst["top5"] == worst["mean_class_accuracy"] == 0


def test_top5_of_five_classes_is_one_whatever_the_model_says():
    probabilities, labels, classes = random_scores(3, num_classes=5, skill=-5)
    scores = score_actions(probabilities, labels, classes)
    assert scores["top5"] == 1 and scores["top1"] < 0.2


def test_of_equal_classes_the_first_is_predicted():
    labels = np.arange(8)
    scores = score_actions(np.full((8, 8), 1 / 8), labels, list("abcdefgh"))
    assert [row[0] for row in scores["confusion"]] == [1] * 8
    assert scores["top1"] == scores["chance"] == 1 / 8 and scores["top5"] == 5 / 8
    assert scores["by_class"]["b"]["precision"] is None


def test_a_class_without_clips_has_no_accuracy_and_weighs_nothing():
    predicted, labels = np.array([0, 0, 1, 2]), np.array([0, 0, 1, 1])
    scores = score_actions(np.eye(3)[predicted], labels, ["a", "b", "nobody"])
    missing = {"clips": 0, "correct": 0, "accuracy": None, "precision": 0.0, "most_taken_for": None}
    assert scores["by_class"]["nobody"] == missing
    assert scores["mean_class_accuracy"] == 0.75


def broken(what):
    probabilities, labels, classes = random_scores(4, 9, 4)
    changes = {
        "one dimension": (probabilities[:, 0], labels, classes),
        "too few classes": (probabilities[:, :3], labels, classes),
        "too few clips": (probabilities[:5], labels, classes),
        "no clips": (probabilities[:0], labels[:0], classes),
        "one-hot labels": (probabilities, np.eye(4)[labels], classes),
        "float labels": (probabilities, labels.astype(float), classes),
        "label too large": (probabilities, np.where(np.arange(9) == 6, 4, labels), classes),
        "negative label": (probabilities, np.where(np.arange(9) == 2, -1, labels), classes),
        "nan": (np.where(np.arange(9)[:, None] == 3, np.nan, probabilities), labels, classes),
        "same name": (probabilities, labels, ["sit", "run", "sit", "walk"]),
    }
    return changes[what]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("one dimension", r"9 clips, 4 classes\). Received: \(9,\)"),
        ("too few classes", r"9 clips, 4 classes\). Received: \(9, 3\)"),
        ("too few clips", r"9 clips, 4 classes\). Received: \(5, 4\)"),
        ("no clips", r"at least one clip. Received: \(0,\)"),
        ("one-hot labels", r"labels must have shape \(clips,\).*Received: \(9, 4\)"),
        ("float labels", "integers.*float64"),
        ("label too large", "labels must be from 0 to 3 .*Received: 4 at clip 6"),
        ("negative label", "labels must be from 0 to 3 .*Received: -1 at clip 2"),
        ("nan", r"at clip 3 \(1 of 9 clips\)"),
        ("same name", "different names. Received: 'sit' more than once"),
    ],
)
def test_what_cannot_be_scored_is_named(what, message):
    with pytest.raises(ValueError, match=message):
        score_actions(*broken(what))


def test_fused_streams_are_the_weighted_mean_written_out():
    members = [random_scores(seed, 5, 3)[0] for seed in range(3)]
    fused = fuse(members, (2, 0.5, 0))
    for clip in range(5):
        for c in range(3):
            wanted = (2 * members[0][clip, c] + 0.5 * members[1][clip, c]) / 2.5
            assert fused[clip, c] == pytest.approx(wanted)
    np.testing.assert_allclose(fuse(members), fuse(members, (1, 1, 1)))


@given(st.integers(0, 10_000), st.integers(1, 4), st.floats(1e-6, 1e6))
def test_fusion_knows_ratios_of_weights_only_and_stays_a_distribution(seed, count, scale):
    rng = np.random.default_rng(seed)
    members = [random_scores(int(s), 6, 5)[0] for s in rng.integers(0, 99, count)]
    weights = rng.uniform(0.1, 3, count)
    fused = fuse(members, weights)
    np.testing.assert_allclose(fuse(members, scale * weights), fused, rtol=1e-9)
    np.testing.assert_allclose(fused.sum(axis=1), 1)
    order = rng.permutation(count)
    np.testing.assert_allclose(fuse([members[i] for i in order], weights[order]), fused, rtol=1e-9)


def test_equal_members_fuse_to_themselves_even_in_float16():
    member = random_scores(5, 20, 60)[0].astype(np.float16)
    fused = fuse([member] * 4, (1, 2, 3, 4))
    assert fused.dtype == np.float64
    np.testing.assert_allclose(fused, member, rtol=1e-12)


def test_a_second_opinion_outvotes_a_wrong_one():
    labels, names = np.array([0, 1]), ["a", "b"]
    sure, unsure = np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[0.4, 0.6], [0.6, 0.4]])
    assert score_actions(unsure, labels, names)["top1"] == 0
    assert score_actions(fuse([sure, unsure]), labels, names)["top1"] == 1
    assert score_actions(fuse([sure, unsure], (1, 9)), labels, names)["top1"] == 0


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((1,), "each of 2 models. Received: 1."),
        ((1, 2, 3), "each of 2 models. Received: 3."),
        ((1, -0.5), "0 or more.*Received: 1, -0.5"),
        ((0, 0), "not all 0"),
        ((1, math.nan), "finite.*nan"),
        ((1, math.inf), "finite.*inf"),
    ],
)
def test_weights_that_mean_nothing_are_refused(weights, message):
    members = [random_scores(seed, 5, 3)[0] for seed in range(2)]
    with pytest.raises(ValueError, match=message):
        fuse(members, weights)


def test_members_that_do_not_fit_together_are_refused():
    member = random_scores(6, 5, 3)[0]
    for other in (member[:4], member[:, :2], member[0]):
        with pytest.raises(ValueError, match=r"\(5, 3\) from model 1 and .* from model 2"):
            fuse([member, other])
    with pytest.raises(ValueError, match="Received: none"):
        fuse([])
    with pytest.raises(ValueError, match=r"model 2 must be probabilities. .* at clip 0. Apply softmax"):
        fuse([member, np.log(member)])
    with pytest.raises(ValueError, match="model 1 must be finite. Received: NaN or infinity at clip 4"):
        fuse([np.where(np.arange(5)[:, None] == 4, np.inf, member), member])
