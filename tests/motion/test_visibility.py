"""Which joints were not seen, against loops over every joint and frame."""

import numpy as np
import pytest

from skelgnn_tf.motion import GapHolder, VisibilityTracker, bridge_gaps, unseen_joints, unseen_parts
from skelgnn_tf.motion.visibility import joints_of
from skelgnn_tf.skeletons import ALL, COCO_17, H36M_17

FPS = 20.0
#: Frames of half a second.
HALF = 10


def blinking(seed, frames=120, joints=5):
    """Confidence (frames, joints) of joints that come and go for a few frames, or for more than half a second."""
    rng = np.random.default_rng(seed)
    confidence = np.zeros((frames, joints))
    for joint in range(joints):
        frame = 0
        while frame < frames:
            length = int(rng.integers(1, 2 * HALF + 4))
            confidence[frame : frame + length, joint] = rng.uniform(0.02, 1) * rng.integers(0, 2)
            frame += length
    return confidence


def unseen_by_hand(confidence, fps=FPS):
    """Walks from each missing keypoint to both ends of its gap."""
    unseen = np.zeros(confidence.shape, bool)
    for frame in range(len(confidence)):
        for joint in range(confidence.shape[1]):
            if confidence[frame, joint] > 0:
                continue
            first = last = frame
            while first > 0 and confidence[first - 1, joint] == 0:
                first -= 1
            while last + 1 < len(confidence) and confidence[last + 1, joint] == 0:
                last += 1
            never = (first, last) == (0, len(confidence) - 1)
            unseen[frame, joint] = never or last - first + 1 > fps / 2
    return unseen


@pytest.mark.parametrize("seed", range(5))
def test_a_joint_is_unseen_in_all_frames_of_a_gap_of_more_than_half_a_second(seed):
    confidence = blinking(seed)
    unseen = unseen_joints(confidence, FPS)
    np.testing.assert_array_equal(unseen, unseen_by_hand(confidence))
    assert 0 < unseen.sum() < (confidence == 0).sum(), "there are gaps of both kinds"
    assert not unseen[confidence > 0].any()


@pytest.mark.parametrize("fps", [10.0, 23.976, 25.0, 29.97, 30.0, 59.94, 60.0])
def test_the_longest_gap_is_that_of_the_bridge_at_every_frame_rate(fps):
    for length in range(1, 40):
        confidence = np.ones((length + 2, 1))
        confidence[1:-1] = 0
        pose_m = np.where(confidence[..., None] > 0, 1.0, np.nan).repeat(3, axis=2)
        _, bridged = bridge_gaps(pose_m, fps)
        np.testing.assert_array_equal(unseen_joints(confidence, fps)[1:-1], ~bridged[1:-1])


def test_a_joint_that_is_never_seen_is_unseen_however_short_the_clip():
    confidence = np.ones((3, 4))
    confidence[:, 2] = 0
    assert unseen_joints(confidence, 30.0).tolist() == [[False, False, True, False]] * 3
    assert unseen_joints(confidence[:1], 30.0).tolist() == [[False, False, True, False]]


@pytest.mark.parametrize("seed", range(5))
def test_live_a_joint_is_unseen_from_the_moment_at_which_its_gap_is_too_long(seed):
    confidence, tracker, seen_s = blinking(seed), VisibilityTracker(), [-np.inf] * 5
    whole = unseen_joints(confidence, FPS)
    for frame, now in enumerate(confidence):
        unseen = tracker.push(now, frame / FPS)
        for joint, value in enumerate(now):
            seen_s[joint] = frame / FPS if value > 0 else seen_s[joint]
            assert unseen[joint] == (frame / FPS - seen_s[joint] > 0.5 + 1e-9)
        # A later frame may show that the gap is long, but none that it is not; before the first sight nothing is known.
        begun = np.array(seen_s) > -np.inf
        assert whole[frame][unseen & begun].all()


def test_live_a_joint_is_unseen_as_soon_as_its_last_place_is_given_up():
    tracker, holder = VisibilityTracker(), GapHolder()
    for frame, value in enumerate([1] + [0] * 25 + [1] + [0] * 3):
        unseen = tracker.push(np.array([value]), frame / 30)
        pose_m, _ = holder.push(np.full((1, 3), 1.0 if value else np.nan), frame / 30)
        assert unseen[0] == np.isnan(pose_m).any()


@pytest.mark.parametrize(("confidence", "fps"), [(np.ones(17), 30.0), (np.ones((4, 17)), 0.0), (np.ones((4, 17)), -1)])
def test_other_shapes_and_frame_rates_are_refused(confidence, fps):
    with pytest.raises(ValueError, match=r"confidence must have shape \(frames, joints\) and fps must be positive"):
        unseen_joints(confidence, fps)


def lost(*spans, frames=100, skeleton=H36M_17):
    """bool (frames, joints): joints that are lost in the frames of (joint, first, end)."""
    unseen = np.zeros((frames, skeleton.num_joints), bool)
    for joint, first, end in spans:
        unseen[first:end, skeleton.index(joint)] = True
    return unseen


def test_parts_have_the_names_of_what_is_lost():
    knees = [("left_knee", 10, 40), ("right_knee", 20, 50)]
    ankles = [("left_ankle", 10, 40), ("right_ankle", 20, 50)]
    assert unseen_parts(lost(*knees, *ankles), H36M_17, FPS) == {"legs": [(10, 50)]}
    assert unseen_parts(lost(knees[0], ankles[0]), H36M_17, FPS) == {"left leg": [(10, 40)]}
    assert unseen_parts(lost(*ankles), H36M_17, FPS) == {"feet": [(10, 50)]}
    assert unseen_parts(lost(ankles[1]), H36M_17, FPS) == {"right foot": [(20, 50)]}
    # The feet are lost before the knees are.
    assert unseen_parts(lost(*knees, *ankles, ("left_ankle", 0, 10)), H36M_17, FPS) == {
        "legs": [(10, 50)],
        "feet": [(0, 50)],
    }
    both = lost(("head", 5, 90), ("left_wrist", 5, 90), ("right_elbow", 0, 60), ("left_hip", 1, 20))
    assert list(unseen_parts(both, H36M_17, FPS)) == ["head", "right arm", "left hand", "left hip"]
    assert unseen_parts(lost(), H36M_17, FPS) == {}


def test_a_glimpse_does_not_interrupt_what_is_not_seen():
    for glimpse, spans in ((HALF, [(0, 80)]), (HALF + 1, [(0, 30), (30 + HALF + 1, 80)])):
        unseen = lost(("head", 0, 30), ("head", 30 + glimpse, 80))
        assert unseen_parts(unseen, H36M_17, FPS) == {"head": spans}


@pytest.mark.parametrize("skeleton", ALL.values(), ids=lambda s: s.name)
def test_every_limb_of_every_layout_is_a_part(skeleton):
    for side in ("left", "right"):
        for joint, part in (("shoulder", "shoulder"), ("elbow", "arm"), ("wrist", "hand"), ("knee", "leg")):
            unseen = lost((f"{side}_{joint}", 0, 100), skeleton=skeleton)
            assert unseen_parts(unseen, skeleton, FPS) == {f"{side} {part}": [(0, 100)]}
            assert f"{side}_{joint}" in joints_of(f"{side} {part}") and f"{side}_{joint}" in joints_of(part + "s")


def test_the_joints_of_a_part_are_those_that_are_lost_with_it():
    assert joints_of("legs") == ("left_knee", "left_ankle", "right_knee", "right_ankle")
    assert joints_of("right arm") == ("right_elbow", "right_wrist")
    assert joints_of("feet") == ("left_ankle", "right_ankle") and joints_of("left hip") == ("left_hip",)
    assert set(joints_of("head")) & set(H36M_17.joints) == {"head"}
    assert set(joints_of("head")) & set(COCO_17.joints) == {"nose"}
