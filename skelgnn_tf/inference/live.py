"""LiveSession: push the keypoints of a frame, get the pose, the action and the count of now."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from skelgnn_tf import skeletons
from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.frame_sampling import window_frames
from skelgnn_tf.inference.add_motion import can_count, check_exercise
from skelgnn_tf.inference.pipeline import LIFTER, RECOGNIZER, check_models, open_model
from skelgnn_tf.inference.predict_keypoints import predict_keypoints, recognizes_poses
from skelgnn_tf.inference.result import UNKNOWN
from skelgnn_tf.inference.windows import check_decide_every
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.motion import OneEuroFilter, RepetitionCounter, VisibilityTracker, joint_angles, unseen_parts


@dataclass(frozen=True, eq=False)
class LiveResult:
    """What is known after a frame.

    Args:
        action: What is done: the counted exercise, so that both agree, or "unknown" while nothing is certain or too
            little is seen. Without a lifter, or with a recognizer of other classes, the class of the last decision.
            None before the first decision and without a recognizer.
        probability: Of that class, by the last decision.
        pose_m: float (joints, 3), meters from the root joint, camera axes x right, y down, z forward; filtered if the
            session smooths. NaN for joints that have not been seen for longer than the gaps that prediction bridges
            (`motion.VisibilityTracker`). None without a lifter and where nobody is seen.
        angles_deg: Joint angles of that pose, by name; NaN where a joint has not been seen.
        exercise: The exercise that is counted; None while it is unknown.
        count: Its repetitions so far.
        confidence: float32 (joints,) of the keypoints of this frame on the joints of the pose; 0 where one is missing.
        not_visible: Parts of the body that have not been seen, such as "legs" or "left hand".
    """

    action: str | None = None
    probability: float = 0.0
    pose_m: np.ndarray | None = None
    angles_deg: dict[str, float] | None = None
    exercise: str | None = None
    count: int = 0
    confidence: np.ndarray | None = None
    not_visible: tuple[str, ...] = ()


class LiveSession:
    """Pose, action and repetitions of the largest person as the frames arrive.

    Holds only as many frames as the models look at.

    Args:
        fps: Frames per second of the source.
        image_size_px: Width and height of the picture.
        layout: Joints of the keypoints, the name of a skeleton.
        lifter: As in `predict`; None for no poses.
        recognizer: As in `predict`; None for no actions.
        exercise: Exercise to count; None counts the one that is recognized.
        decide_every: Frames from one decision to the next.
        smooth: Filter poses and angles.

    Raises:
        ValueError, FileNotFoundError: Models that do not fit, `decide_every` out of range.

    Example:
        >>> session = LiveSession(30.0, (640, 480), "blazepose_33")
        >>> session.push(np.zeros((33, 3)), time_s=0.0).count
        0
    """

    def __init__(
        self,
        fps: float,
        image_size_px: tuple[int, int],
        layout: str = "blazepose_33",
        *,
        lifter: str | LoadedModel | None = LIFTER,
        recognizer: str | LoadedModel | None = RECOGNIZER,
        exercise: str | None = None,
        decide_every: int = 8,
        smooth: bool = True,
    ) -> None:
        check_exercise(exercise, lifter is not None)
        self.fps, self.image_size_px, self.layout, self.decide_every = fps, image_size_px, layout, decide_every
        self.lifter, self.recognizer = open_model(lifter, "lift"), open_model(recognizer, "action")
        check_models(self.lifter, self.recognizer)
        self._lift_frames, self._action_frames = (
            1 if model is None else window_frames(model.model.frames, fps / (model.config.fps or fps))
            for model in (self.lifter, self.recognizer)
        )
        self._decide_frames = self._action_frames
        if self.recognizer is not None:
            check_decide_every(decide_every, self._action_frames)
            if self.lifter is not None and recognizes_poses(self.recognizer):
                # The first pose of the window looks back, too.
                self._decide_frames = self._action_frames + self._lift_frames - 1
        self._keypoints: deque[np.ndarray] = deque(maxlen=max(self._lift_frames, self._decide_frames))
        self._num_joints = skeletons.get(layout).num_joints
        self._action: tuple[str | None, float] = (None, 0.0)
        self._decided: np.ndarray | None = None
        self._follows = False
        self._frame = 0
        self._visibility = VisibilityTracker()
        self._filter = OneEuroFilter() if smooth else None
        self._counter = self._make_counter(exercise)

    def _make_counter(self, exercise: str | None) -> RepetitionCounter | None:
        if self.lifter is None:
            return None
        skeleton = self.lifter.model.skeleton
        countable = self.recognizer is not None and can_count(self.recognizer.model.classes)
        self._follows = countable and exercise is None
        if exercise is None and not countable:
            return None
        classes = self.recognizer.model.classes if countable and self.recognizer else None
        return RepetitionCounter(skeleton, exercise=exercise, classes=classes)

    def push(self, keypoints: np.ndarray, time_s: float) -> LiveResult:
        """Takes the next frame.

        Args:
            keypoints: (joints, 3) or (persons, joints, 3): x, y in pixels, confidence (0: missing).
            time_s: When the frame was taken, in seconds; must grow.

        Returns:
            LiveResult.

        Raises:
            ValueError: A shape that differs from the previous frames.
        """
        keypoints = np.asarray(keypoints, np.float32)
        keypoints = keypoints[None] if keypoints.ndim == 2 else keypoints
        before = self._keypoints[-1].shape if self._keypoints else keypoints.shape
        if keypoints.ndim != 3 or keypoints.shape[1:] != (self._num_joints, 3) or keypoints.shape != before:
            raise ValueError(
                f"keypoints must be (joints, 3) or (persons, joints, 3) with the {self._num_joints} joints of "
                f"{self.layout}, and as many persons as before. Received: {keypoints.shape}."
            )
        self._keypoints.append(keypoints)
        self._frame += 1
        if not (keypoints[..., 2] > 0).any():
            return LiveResult(*self._action)
        decided = None
        if self.recognizer is not None and self._frame % self.decide_every == 0:
            decided = self._decide()
        if self.lifter is None:
            return LiveResult(*self._action)
        poses = predict_keypoints(self._recent(self._lift_frames), self.lifter, None).poses
        assert poses is not None
        # Of the last frames only: the rule for files would take a joint that has just been lost for one never seen.
        unseen = self._visibility.push(poses.confidence[-1], time_s)
        pose_m, exercise, count = np.where(unseen[:, None], np.float32(np.nan), poses.guess_m[-1]), None, 0
        if self._counter is not None:
            # The counter smooths its own signals.
            repetitions = self._counter.push(pose_m, time_s, decided)
            exercise, count = repetitions.exercise, repetitions.count
            if self._follows and self._decided is not None:
                self._action = self._said(exercise, self._decided)
        if self._filter is not None:
            pose_m = self._filter.push(pose_m, time_s)
        angles = {name: float(angle) for name, angle in joint_angles(pose_m, poses.skeleton).items()}
        not_visible = tuple(unseen_parts(unseen[None], poses.skeleton, self.fps))
        return LiveResult(*self._action, pose_m, angles, exercise, count, poses.confidence[-1], not_visible)

    def finish(self) -> int:
        """Ends the session: a last repetition that is all but over counts. Returns the repetitions of the exercise."""
        return 0 if self._counter is None else self._counter.finish().count

    def _said(self, exercise: str | None, decided: np.ndarray) -> tuple[str, float]:
        """The exercise that is counted, and its probability."""
        assert self.recognizer is not None
        if exercise is None:
            return UNKNOWN, 0.0
        return exercise, float(decided[self.recognizer.model.classes.index(exercise)])

    def _decide(self) -> np.ndarray | None:
        """Probabilities (classes,) of the window that ends now; None if it is a single frame, which shows no motion."""
        assert self.recognizer is not None
        lifter = self.lifter if recognizes_poses(self.recognizer) else None
        # Deciding once per window leaves hardly any other windows to compute.
        recent = self._recent(self._decide_frames)
        actions = predict_keypoints(recent, lifter, self.recognizer, self._action_frames).actions
        if actions is None:
            return None
        decided = actions.decisions.probabilities[-1]
        self._decided = decided
        self._action = (actions.classes[int(decided.argmax())], float(decided.max()))
        return decided

    def _recent(self, frames: int) -> KeypointSequence:
        """The last keypoints, as prediction takes them."""
        keypoints = np.stack(list(self._keypoints)[-frames:], axis=1)
        return KeypointSequence("live", keypoints, self.layout, self.image_size_px, self.fps)
