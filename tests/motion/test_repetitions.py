"""Repetitions: figures whose movements are known, and generated clips against the generator's truth."""

import numpy as np
import pytest

from skelgnn_tf import checkpoints
from skelgnn_tf.datasets import fitness
from skelgnn_tf.datasets.fitness.exercises import EXERCISES
from skelgnn_tf.inference.predict_keypoints import predict_keypoints
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.motion import MOVEMENTS, RepetitionCounter, Repetitions, joint_angles
from skelgnn_tf.motion.exercise_signals import exercise_state
from skelgnn_tf.motion.recording import count_recording
from skelgnn_tf.skeletons import BLAZEPOSE_33, COCO_17, H36M_17, Skeleton
from support.stick_figure import curling, figure, lunging, squatting, turned

CLASSES = fitness.PHONE_CLASSES


def depths(reps, fps=30.0, pause_s=0.0, lasts_s=2.4, lead_s=0.5, tail_s=1.5):
    """How deep somebody is (frames,) who goes to each of `reps` and back, and when each repetition ends."""
    parts, ends_s, now = [np.zeros(round(lead_s * fps))], [], lead_s
    for depth in reps:
        n = round(lasts_s * fps)
        parts += [depth * (1 - np.cos(2 * np.pi * np.arange(n) / n)) / 2, np.zeros(round(pause_s * fps))]
        ends_s.append(now + n / fps)
        now += n / fps + round(pause_s * fps) / fps
    return np.concatenate([*parts, np.zeros(round(tail_s * fps))]), ends_s


def poses(u, move=squatting, noise_m=0.0, seed=0):
    """(frames, 17, 3) of depths (frames,)."""
    out = np.stack([move(x) for x in u])
    return out + noise_m * np.random.default_rng(seed).normal(size=out.shape)


def count(clip, fps=30.0, times_s=None, **options):
    """Counts after every frame."""
    counter = RepetitionCounter(**({"exercise": "squat"} | options))
    times_s = np.arange(len(clip)) / fps if times_s is None else times_s
    return np.array([counter.push(pose, time_s).count for pose, time_s in zip(clip, times_s, strict=True)])


@pytest.mark.parametrize("pause_s", [0.0, 0.7, 4.0])
def test_every_repetition_counts_when_it_ends_with_or_without_pauses(pause_s):
    u, ends_s = depths([1, 0.9, 1, 0.8, 1], pause_s=pause_s)
    counts = count(poses(u, noise_m=0.01))
    counted_s = np.flatnonzero(np.diff(counts)) / 30
    assert counts[-1] == 5
    np.testing.assert_allclose(counted_s, ends_s, atol=0.4)


def test_half_repetitions_are_not_counted():
    u, _ = depths([1, 0.3, 1, 0.3, 0.3, 1])
    assert count(poses(u, noise_m=0.01))[-1] == 3
    # Half way up and down again is no end either.
    deep = np.interp(np.arange(0, 8, 1 / 30), [0, 1, 2, 3, 4, 5, 8], [0, 0, 1, 0.6, 1, 0, 0])
    assert count(poses(deep))[-1] == 1


def test_half_is_half_of_the_persons_own_range():
    small, _ = depths([0.4, 0.4, 0.4])
    assert count(poses(small))[-1] == 3
    after_large, _ = depths([1, 1, 1, 0.27, 0.27])
    assert count(poses(after_large))[-1] == 3


def test_who_stands_walks_about_or_trembles_does_nothing():
    still = poses(np.zeros(900), noise_m=0.02)
    assert count(still)[-1] == 0
    t = np.arange(0, 10, 1 / 30)
    steps = np.stack([figure(hip=(15 * np.sin(5 * x), -15 * np.sin(5 * x)), knee=(10, 10)) for x in t])
    assert count(steps)[-1] == 0


def test_what_comes_later_changes_no_count():
    u, _ = depths([1, 1, 1])
    first, clip = poses(u), poses(u, noise_m=0.03, seed=1)
    expected = count(first)
    for cut in (97, 150):
        mixed = np.concatenate([first[:cut], clip[cut:]])
        np.testing.assert_array_equal(count(mixed)[:cut], expected[:cut])


@pytest.mark.parametrize("fps", [15, 24, 50, 60])
def test_frame_rates_agree(fps):
    expected = np.flatnonzero(np.diff(count(poses(depths([1, 0.8, 1])[0])))) / 30
    counted_s = np.flatnonzero(np.diff(count(poses(depths([1, 0.8, 1], fps)[0]), fps))) / fps
    np.testing.assert_allclose(counted_s, expected, atol=0.12)


def test_uneven_times_count_alike():
    times_s = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.08, 220))
    u = np.interp(times_s, np.arange(300) / 30, np.resize(depths([1, 1, 1], tail_s=3)[0], 300))
    assert count(poses(u), times_s=times_s)[-1] == 3


def test_where_the_camera_stands_and_drifts_and_how_tall_people_are_does_not_matter():
    u, _ = depths([1, 1, 0.9, 1])
    clip = poses(u, noise_m=0.01)
    drifting = np.stack([turned(pose, (15 + 0.05 * t, 0.3 * t, 10 - 0.05 * t)) for t, pose in enumerate(clip)])
    for seen in (turned(clip, (20, 90, 0)), drifting, 0.6 * clip, clip + np.array([2.0, 1.0, 4.0])):
        np.testing.assert_array_equal(count(seen)[-1], 4)


def test_a_gap_in_a_repetition_is_bridged_and_a_person_who_comes_back_is_counted_on():
    u, _ = depths([1, 1, 1, 1])
    clip = poses(u)
    bottom = np.flatnonzero(u > 0.99)[0]
    clip[bottom - 6 : bottom + 6] = np.nan
    assert count(clip)[-1] == 4
    away = np.concatenate([poses(u), np.full((120, 17, 3), np.nan), poses(u)])
    assert count(away)[-1] == 8
    # Who vanishes while down and comes back standing has finished nothing that was seen.
    clip = np.concatenate([poses(u[: bottom + 2]), np.full((60, 17, 3), np.nan), poses(np.zeros(60))])
    assert count(clip)[-1] == 0


def test_the_phase_goes_from_0_to_1_once_in_a_repetition():
    u, ends_s = depths([1, 1, 1])
    counter = RepetitionCounter(exercise="squat")
    phase = np.array([counter.push(pose, t / 30).phase for t, pose in enumerate(poses(u))])
    assert phase.min() == 0 and 0.9 < phase.max() <= 1
    for end_s in ends_s[1:]:
        begin, middle = round((end_s - 2.4) * 30), round((end_s - 1.2) * 30)
        assert (np.diff(phase[begin + 12 : middle + 12]) >= 0).mean() > 0.9
        assert phase[begin + 9] < 0.4 < phase[middle] < phase[middle + 20]


def certain(name, p=0.9):
    """A recognizer's probabilities that speak for one class."""
    out = np.full(len(CLASSES), (1 - p) / (len(CLASSES) - 1))
    out[CLASSES.index(name)] = p
    return out


def follow(clip, names, every=8):
    """States after every frame, by decisions that `names` (frames,) says; None decides nothing."""
    counter = RepetitionCounter(classes=CLASSES)
    return [
        counter.push(pose, t / 30, certain(name) if name and t % every == every - 1 else None)
        for t, (pose, name) in enumerate(zip(clip, names, strict=True))
    ]


def test_what_was_done_before_the_recognizer_decides_is_counted():
    u, _ = depths([1, 1, 1])
    names = [None] * 150 + ["squat"] * (len(u) - 150)
    states = follow(poses(u), names)
    assert states[100] == Repetitions(0, None, 0.0)
    assert states[-1][:2] == (3, "squat")
    # A recognizer that is wrong while its window fills changes nothing.
    wrong_first = follow(poses(u), ["rest"] * 60 + ["squat"] * (len(u) - 60))
    assert wrong_first[-1][:2] == (3, "squat")


def test_a_rest_and_wrong_decisions_between_sets_keep_the_count():
    u, _ = depths([1, 1, 1, 1], tail_s=8)
    clip = np.concatenate([poses(u), poses(u)])
    names = (["squat"] * 300 + ["rest"] * 140 + ["biceps_curl"] * (len(u) - 440)) * 2
    states = follow(clip, names)
    assert [state.count for state in states] == sorted(state.count for state in states)
    assert states[len(u) - 1][:2] == (4, "squat") and states[-1][:2] == (8, "squat")


def test_another_exercise_has_its_own_count_and_the_first_is_counted_on_afterwards():
    squats, _ = depths([1] * 5, tail_s=2)
    curls, _ = depths([1] * 6, tail_s=2)
    clip = np.concatenate([poses(squats), poses(curls, curling), poses(squats)])
    names = ["squat"] * len(squats) + ["biceps_curl"] * len(curls) + ["squat"] * len(squats)
    # As a recognizer is, two seconds late.
    states = follow(clip, names[:1] * 60 + names[:-60])
    assert states[len(squats) - 1][:2] == (5, "squat")
    assert states[len(squats) + len(curls) - 1][:2] == (6, "biceps_curl")
    assert states[-1][:2] == (10, "squat")


@pytest.mark.parametrize("name", ["plank", "rest"])
def test_what_has_no_repetitions_counts_none(name):
    u, _ = depths([1, 1, 1])
    assert set(follow(poses(u), [name] * len(u))[45:]) == {Repetitions(0, name, 0.0)}


def generated(seed, clips, skeleton=H36M_17):
    """Clips of the exercises that repeat."""
    made = fitness.iterate(range(clips), seed, detector=False, layout=skeleton.name, skeleton=skeleton)
    return [clip for clip in made if clip.action in MOVEMENTS]


def agrees(counted, clip):
    """Whether a final count is the truth, where a repetition that ends within 0.25 s of the clip may count or not."""
    return clip.repetitions[-8] <= counted <= clip.repetitions[-1] + (clip.phase[-1] > 0.9)


@pytest.mark.parametrize(("skeleton", "clips"), [(H36M_17, 26), (COCO_17, 13), (BLAZEPOSE_33, 13)])
def test_generated_exercises_are_counted_from_noisy_poses_of_any_layout(skeleton, clips):
    rng, right, exercises = np.random.default_rng(5), 0, set()
    made = generated(401, clips, skeleton)
    for clip in made:
        noisy = clip.pose_m + 0.015 * rng.normal(size=clip.pose_m.shape)
        right += agrees(count(noisy, skeleton=skeleton, exercise=clip.action)[-1], clip)
        exercises.add(clip.action)
    assert exercises == set(MOVEMENTS)
    assert right >= len(made) - 1


def test_every_exercise_of_the_data_set_that_repeats_can_be_counted():
    assert set(MOVEMENTS) == {exercise.name for exercise in EXERCISES if exercise.tempo}


def test_detected_lifted_and_recognized_clips_are_counted():
    lifter, recognizer = (checkpoints.load(name) for name in ("fitness_9f", "exercises_2d"))
    options = {"layout": ("coco_17", "blazepose_33"), "skeleton": COCO_17}
    named, live, exact = [], [], []
    for clip in fitness.iterate(range(13), 1, **options):
        sequence = KeypointSequence(clip.name, clip.keypoints, "coco_17", clip.image_size_px, 30.0)
        found = predict_keypoints(sequence, lifter, recognizer)
        decided = dict(zip(found.actions.decisions.last, found.actions.decisions.probabilities, strict=True))
        counter = RepetitionCounter(found.poses.skeleton, classes=found.actions.classes)
        for t, pose_m in enumerate(found.poses.pose_m):
            state = counter.push(pose_m, t / 30, decided.get(t))
        live.append(agrees(state.count, clip))
        exact.append(state.count == clip.repetitions[-1])
        if clip.action in MOVEMENTS:
            named.append(agrees(count(found.poses.pose_m, exercise=clip.action)[-1], clip))
    # The aim over many clips is 95 % (benchmarks/accuracy/repetition_counts.py); of so few, some are the hard ones.
    assert sum(named) >= len(named) - 2 and sum(live) >= 10 and sum(exact) >= 9


def hidden(clip, *parts):
    """The poses without both sides of some parts of the body."""
    clip = clip.copy()
    clip[:, [H36M_17.index(f"{side}_{part}") for side in ("left", "right") for part in parts]] = np.nan
    return clip


def test_what_is_seen_counts_for_what_is_missing_until_an_exercise_cannot_be_told():
    clip = poses(depths([1, 1])[0])
    one_side = clip.copy()
    one_side[:, [H36M_17.index(f"left_{part}") for part in ("hip", "knee", "ankle", "shoulder")]] = np.nan
    assert count(one_side)[-1] == 2
    assert count(hidden(clip, "ankle"))[-1] == 2
    assert np.isnan(joint_angles(hidden(clip, "ankle")[0], H36M_17)["left_knee"])
    assert count(hidden(clip, "knee", "ankle"))[-1] == 0
    assert count(hidden(clip, "wrist"), exercise="push_up")[-1] == 0


def test_an_exercise_that_cannot_be_seen_is_unknown():
    legless = hidden(poses(depths([1, 1, 1])[0]), "knee", "ankle")
    assert follow(legless, ["squat"] * len(legless))[-1] == Repetitions(0, None, 0.0)
    assert follow(legless, ["biceps_curl"] * len(legless))[-1].exercise == "biceps_curl"


def test_the_last_repetition_counts_when_the_recording_ends_before_it_is_settled():
    u, ends_s = depths([1, 1, 1], tail_s=0)
    clip = poses(u[: round((ends_s[-1] - 0.25) * 30)])
    counter = RepetitionCounter(exercise="squat")
    for t, pose in enumerate(clip):
        before = counter.push(pose, t / 30)
    assert (before.count, counter.finish().count) == (2, 3)
    assert all(one.start_s < one.top_s < one.end_s <= len(clip) / 30 for one in counter.repetitions)
    # Who is still at the bottom has not finished.
    counter = RepetitionCounter(exercise="squat")
    for t, pose in enumerate(poses(u[: round((ends_s[-1] - 1.2) * 30)])):
        counter.push(pose, t / 30)
    assert counter.finish().count == 2


def test_repetitions_say_when_they_begin_are_deepest_and_end():
    u, ends_s = depths([1, 1, 1], pause_s=1.0)
    counter = RepetitionCounter(exercise="squat")
    for t, pose in enumerate(poses(u)):
        counter.push(pose, t / 30)
    for one, end_s in zip(counter.repetitions, ends_s, strict=True):
        np.testing.assert_allclose((one.start_s, one.top_s, one.end_s), (end_s - 2.4, end_s - 1.2, end_s), atol=0.45)


def test_a_whole_recording_counts_what_a_live_counter_counts_and_says_the_same():
    squats, _ = depths([1] * 4, tail_s=4)
    curls, _ = depths([1] * 4, tail_s=3)
    clip = np.concatenate([poses(squats), poses(curls, curling)])
    names = ["squat"] * len(squats) + ["biceps_curl"] * len(curls)
    labels, found = count_recording(
        exercise_state(clip, H36M_17),
        np.arange(len(clip)) / 30,
        30.0,
        classes=CLASSES,
        frame_probabilities=np.stack([certain(name) for name in names]),
    )
    assert [one.exercise for one in found] == ["squat"] * 4 + ["biceps_curl"] * 4
    assert labels[100] == "squat" and labels[-1] == "biceps_curl"
    for one in found:
        assert set(labels[round(one.start_s * 30) + 1 : round(one.end_s * 30)]) == {one.exercise}
    # What takes turns too fast is settled by the whole.
    names[60:70] = ["rest"] * 10
    probabilities = np.stack([certain(name) for name in names])
    labels, _ = count_recording(
        exercise_state(clip, H36M_17), np.arange(len(clip)) / 30, 30.0, classes=CLASSES,
        frame_probabilities=probabilities,
    )  # fmt: skip
    assert set(labels[:200]) == {"squat"}


def mistaken(seen, truth):
    """Probabilities of a recognizer that sees one class and hardly thinks of another one."""
    p = np.full(len(CLASSES), 0.02 / (len(CLASSES) - 2))
    p[CLASSES.index(seen)], p[CLASSES.index(truth)] = 0.9, 0.08
    return p


def test_what_cannot_be_a_squat_speaks_against_squats_in_a_recording_and_live():
    clip = poses(depths([1] * 6, tail_s=0.5)[0], lunging)
    wrong = mistaken("squat", "lunge")
    labels, found = count_recording(
        exercise_state(clip, H36M_17), np.arange(len(clip)) / 30, 30.0, classes=CLASSES,
        frame_probabilities=np.tile(wrong, (len(clip), 1)),
    )  # fmt: skip
    assert [one.exercise for one in found] == ["lunge"] * 6 and labels.count("lunge") > 0.9 * len(labels)
    counter = RepetitionCounter(classes=CLASSES)
    states = [counter.push(pose, t / 30, wrong if t % 8 == 7 else None) for t, pose in enumerate(clip)]
    assert states[60].exercise == "squat" and states[-1].exercise == "lunge"
    assert not any(state.count for state in states if state.exercise == "squat")


@pytest.mark.parametrize(("pause_s", "within"), [(4.6, True), (8.0, False)])
def test_a_short_pause_between_two_repetitions_belongs_to_the_exercise(pause_s, within):
    u, _ = depths([1, 1], pause_s=pause_s)
    resting = (np.arange(len(u)) > 90) & (np.arange(len(u)) < round((2.9 + pause_s) * 30))
    probabilities = np.stack([certain("rest" if rests else "squat", 0.999) for rests in resting])
    labels, found = count_recording(
        exercise_state(poses(u), H36M_17), np.arange(len(u)) / 30, 30.0, classes=CLASSES,
        frame_probabilities=probabilities,
    )  # fmt: skip
    assert [one.exercise for one in found] == ["squat"] * 2
    assert ("rest" not in labels) is within


def test_who_walks_is_not_counted_even_if_the_exercise_is_given():
    t = np.arange(0, 12, 1 / 30)
    steps = np.stack([figure(hip=(35 * np.sin(6 * x), -35 * np.sin(6 * x)), knee=(25, 25)) for x in t])
    for exercise in ("jumping_jack", "high_knees", "lunge"):
        counter = RepetitionCounter(exercise=exercise, classes=CLASSES)
        for frame, pose in enumerate(steps):
            counter.push(pose, t[frame], certain("rest", 0.97) if frame % 8 == 7 else None)
        assert counter.finish().count <= 1


def test_what_does_not_fit_is_named():
    counter = RepetitionCounter(classes=("squat", "rest"))
    counter.push(figure(), 1.0)
    with pytest.raises(ValueError, match="time_s must increase. Received: 1.0 s after 1.0 s"):
        counter.push(figure(), 1.0)
    with pytest.raises(ValueError, match="each of 2 classes. Received: \\(14,\\)"):
        counter.push(figure(), 2.0, certain("squat"))
    with pytest.raises(ValueError, match="17, 3\\) for h36m_17. Received: \\(33, 3\\)"):
        counter.push(np.zeros((33, 3)), 3.0)
    with pytest.raises(ValueError, match="exercise must be one of squat, lunge, .*Received: 'plank'"):
        RepetitionCounter(exercise="plank")
    with pytest.raises(ValueError, match="exercise or classes must be given. Received: neither"):
        RepetitionCounter()
    limbs = tuple(joint for joint in H36M_17.joints if joint.split("_")[0] in ("left", "right"))
    headless = Skeleton(
        "headless", ("hip", *limbs), (-1, *[0] * 12), (0, *(1 + limbs.index(_other(joint)) for joint in limbs))
    )
    with pytest.raises(ValueError, match="must have a joint nose, neck or head. Received: headless"):
        RepetitionCounter(headless, exercise="squat").push(np.zeros((13, 3)), 0.0)


def _other(joint):
    side, name = joint.split("_")
    return f"{'left' if side == 'right' else 'right'}_{name}"
