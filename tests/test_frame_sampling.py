"""Frame sampling against loops over exact fractions: which frames make a window, and how positions are rounded."""

import ast
import re
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelgnn_tf.frame_sampling import (
    clip_frames,
    clip_positions,
    frame_offsets,
    sliding_windows,
    sliding_windows_tensor,
    window_frames,
)

ROOT = Path(__file__).resolve().parents[1]
#: Steps that floats hold exactly, halves among them, so that fractions and floats agree on every tie.
STEPS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
steps = st.sampled_from(STEPS)


def half_to_even(x):
    """Fraction -> nearest integer, the even one of two that are as near."""
    below = floor(x)
    rest = x - below
    if rest == Fraction(1, 2):
        return below if below % 2 == 0 else below + 1
    return below + (rest > Fraction(1, 2))


def half_up(x):
    """Fraction -> nearest integer, the larger one of two that are as near."""
    return floor(x + Fraction(1, 2))


def slow_offsets(frames, step, ahead):
    center = frames - 1 - ahead
    return [half_to_even(Fraction(step) * (i - center)) for i in range(frames)]


# ---- sliding windows


@given(st.integers(1, 40), steps, st.data())
def test_offsets_are_rounded_half_to_even_and_the_frame_of_interest_is_among_them(frames, step, data):
    ahead = data.draw(st.integers(0, frames - 1))
    offsets = frame_offsets(frames, step, ahead)
    assert offsets.dtype.kind == "i" and offsets.tolist() == slow_offsets(frames, step, ahead)
    assert offsets[frames - 1 - ahead] == 0 and (np.diff(offsets) >= 0).all()


@given(st.integers(0, 20), st.floats(0.05, 8))
def test_a_window_reaches_as_far_back_as_ahead(half, step):
    offsets = frame_offsets(2 * half + 1, step, half)
    np.testing.assert_array_equal(offsets, -offsets[::-1])


def test_half_to_even_is_what_makes_a_window_of_every_half_frame_symmetric():
    assert frame_offsets(7, 0.5, 3).tolist() == [-2, -1, 0, 0, 0, 1, 2]
    assert frame_offsets(5, 2.5, 2).tolist() == [-5, -2, 0, 2, 5]
    assert frame_offsets(4).tolist() == [-3, -2, -1, 0]


@given(st.integers(1, 60), st.floats(0.05, 8))
def test_a_causal_window_spans_from_its_first_frame_to_now(frames, step):
    offsets = frame_offsets(frames, step)
    assert offsets[-1] == 0 and window_frames(frames, step) == 1 - offsets[0]
    assert window_frames(frames) == frames


@pytest.mark.parametrize("step", [0.0, -1.0, float("nan"), float("inf")])
def test_a_step_that_goes_nowhere_is_refused(step):
    for function in (frame_offsets, window_frames):
        with pytest.raises(ValueError, match=r"step must be .* above 0. Received: "):
            function(9, step)


@given(st.integers(1, 30), st.integers(1, 12), steps, st.data())
def test_windows_repeat_the_first_and_the_last_frame_of_the_clip(num_frames, frames, step, data):
    ahead = data.draw(st.integers(0, frames - 1))
    centers = np.array(data.draw(st.lists(st.integers(0, num_frames - 1), min_size=1, max_size=5)))
    windows = sliding_windows(centers, num_frames, frames, step, ahead)
    for center, window in zip(centers, windows, strict=True):
        expected = [min(max(center + offset, 0), num_frames - 1) for offset in slow_offsets(frames, step, ahead)]
        assert window.tolist() == expected


def clips_end_to_end(rng, frames):
    """Windows of several clips in one array: center, first and last frame of the clip, and a step each."""
    lengths = rng.integers(1, 25, 6)
    starts = np.cumsum(lengths) - lengths
    clip = rng.integers(0, 6, 40)
    centers = starts[clip] + (rng.random(40) * lengths[clip]).astype(int)
    step = rng.choice(STEPS, 40)
    return clip, starts, lengths, centers, step


@pytest.mark.parametrize(("frames", "ahead"), [(1, 0), (9, 4), (9, 0), (27, 13)])
def test_tensors_hold_the_windows_of_numpy_and_never_leave_their_clip(frames, ahead):
    clip, starts, lengths, centers, step = clips_end_to_end(np.random.default_rng(frames + ahead), frames)
    first, last = starts[clip], (starts + lengths - 1)[clip]
    found = np.asarray(
        sliding_windows_tensor(
            centers.astype(np.int32), first.astype(np.int32), last.astype(np.int32), frames,
            step.astype(np.float32), ahead,
        )
    )  # fmt: skip
    assert found.dtype == np.int32 and found.shape == (40, frames)
    for row in range(40):
        begin = starts[clip[row]]
        own = sliding_windows(centers[row : row + 1] - begin, lengths[clip[row]], frames, float(step[row]), ahead)
        np.testing.assert_array_equal(found[row], begin + own[0])


# ---- whole clips


def positions(length, frames, sampling, step=1.0, share=0.0, place=0.5, training=False):
    column = np.array([[1.0]])
    made = clip_positions(length * column, frames, sampling, step * column, share * column, place * column, training)
    assert made.dtype == np.float64 and made.shape == (1, frames)
    return made[0]


def slow_resize(length, frames, share, place, training):
    low, high = (Fraction(1, 2), Fraction(1)) if training else (Fraction(19, 20), Fraction(19, 20))
    kept = floor(length * (low + (high - low) * Fraction(share)))
    kept = min(max(kept, frames), length)
    start = floor(Fraction(place) * (length - kept + (1 if training else 0)))
    spread = [Fraction(2 * t + 1, 2) * kept / frames - Fraction(1, 2) for t in range(frames)]
    return [start + min(max(at, 0), kept - 1) for at in spread]


def slow_repeat(length, frames, place):
    start = floor(Fraction(place) * max(length - frames + 1, 1))
    return [t % length if length < frames else start + t for t in range(frames)]


def slow_window(length, frames, step, place):
    step = Fraction(step)
    start = Fraction(place) * max(length - 1 - step * (frames - 1), 0)
    return [min(half_up(start + step * t), length - 1) for t in range(frames)]


#: Below 1, and exact in binary, as random numbers of numpy are.
draws = st.integers(0, 1023).map(lambda i: i / 1024)


@given(st.integers(1, 120), st.integers(1, 40), draws, draws)
def test_resize_in_training_crops_and_interpolates(length, frames, share, place):
    made = positions(length, frames, "resize", share=share, place=place, training=True)
    np.testing.assert_allclose(made, np.array(slow_resize(length, frames, share, place, True), float), atol=1e-9)
    assert made.min() >= 0 and made.max() <= length - 1


# 95 % of a multiple of 20 frames is whole: floats and fractions may then disagree on floor.
@given(st.integers(1, 240).filter(lambda n: n % 20), st.integers(1, 40))
def test_resize_at_test_crops_the_middle(length, frames):
    made = positions(length, frames, "resize")
    np.testing.assert_allclose(made, np.array(slow_resize(length, frames, 0, 0.5, False), float), atol=1e-9)


@given(st.integers(1, 120), st.integers(1, 40), draws, st.booleans())
def test_repeat_starts_a_short_clip_again_and_takes_frames_of_a_long_one(length, frames, place, training):
    made = positions(length, frames, "repeat", place=place, training=training)
    assert made.tolist() == slow_repeat(length, frames, place)
    assert made.max() <= length - 1


@given(st.integers(1, 120), st.integers(1, 40), steps, draws, st.booleans())
def test_a_window_rounds_half_up_and_holds_the_last_frame(length, frames, step, place, training):
    made = positions(length, frames, "window", step, place=place, training=training)
    assert made.tolist() == slow_window(length, frames, step, place)


def test_half_up_is_what_shows_every_frame_of_a_clip_that_starts_half_way_between_two_frames():
    # 16 of 17 frames, from the middle: the start is 0.5. Half to even would give 0, 2, 2, 4, 4, ...
    assert positions(17, 16, "window").tolist() == list(range(1, 17))
    assert clip_frames(17, 16, "window", 1.0, 0.5).tolist() == list(range(1, 17))


@given(st.lists(st.integers(1, 60), min_size=2, max_size=5), st.sampled_from(["resize", "repeat", "window"]), draws)
def test_clips_of_a_batch_do_not_know_of_each_other(lengths, sampling, place):
    column = np.array(lengths, float)[:, None]
    step, share = column / 40, column / 61
    made = clip_positions(column, 9, sampling, step, share, np.full_like(column, place), True)
    for row, length in enumerate(lengths):
        own = positions(length, 9, sampling, step[row, 0], share[row, 0], place, True)
        np.testing.assert_array_equal(made[row], own)


# ---- whole frames of one clip


@given(st.integers(1, 120), st.integers(1, 40), steps, draws)
def test_frames_of_a_clip_are_the_positions_of_a_window(length, frames, step, place):
    made = clip_frames(length, frames, "window", step, place)
    assert made.dtype.kind == "i"
    np.testing.assert_array_equal(made, positions(length, frames, "window", step, place=place))


@given(st.integers(1, 120), st.integers(1, 40), draws)
def test_frames_of_a_repeated_clip_begin_again(length, frames, place):
    start = Fraction(place) * max(0, length - 1 - (frames - 1))
    expected = [half_up(start + t) % length for t in range(frames)]
    assert clip_frames(length, frames, "repeat", 1.0, place).tolist() == expected


@given(st.integers(1, 120), st.integers(2, 40))
def test_frames_of_a_resized_clip_are_spread_from_its_first_to_its_last(length, frames):
    made = clip_frames(length, frames, "resize", 3.0, 0.5)
    assert (made[0], made[-1]) == (0, length - 1) and (np.diff(made) >= 0).all()
    # Evenly: no frame is further than half a frame from its place.
    np.testing.assert_allclose(made, np.linspace(0, length - 1, frames), atol=0.5 + 1e-9)


# ---- nobody else


def test_training_inference_and_export_round_steps_to_frames_nowhere_else():
    users, found = set(), []
    for place in ("skelgnn_tf/frame_sampling.py", "skelgnn_tf/inference", "training", "export"):
        for file in sorted((ROOT / place).rglob("*.py")) or [ROOT / place]:
            name = file.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module == "skelgnn_tf.frame_sampling":
                    users.add(name)
                rounds = isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in (
                    "round",
                    "rint",
                    "floor",
                )
                if rounds and re.search(r"\b(step|fps|hop_frames)\b", ast.unparse(node)):
                    found.append(f"{name}:{node.lineno} {ast.unparse(node)}")
    assert not [line for line in found if not line.startswith("skelgnn_tf/frame_sampling.py")]
    # The scan sees what it is for, and whoever makes windows of frames is there.
    assert len(found) >= 3
    makers = "skelgnn_tf/inference/windows.py training/lift/batches.py training/action/batches.py export/calibration.py"
    assert users >= set(makers.split())
