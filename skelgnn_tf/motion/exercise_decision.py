"""Which exercise is done, from the decisions of a recognizer over time: live, and for a whole recording."""

from __future__ import annotations

import math

import numpy as np

# Mean duration of an activity in seconds, after which any other one is as likely.
_STAYS_S = 20.0
# A recognizer's windows overlap: its decisions in this many seconds count as one independent observation.
_EVIDENCE_S = 1.2
# A probability that no decision falls below, so that one wrong window can be outweighed.
_LEAST = 0.02


class ExerciseBelief:
    """Probabilities of the classes now, given all decisions so far: the forward filter of a hidden Markov model.

    Args:
        num_classes: Number of classes.

    Example:
        >>> belief = ExerciseBelief(2)
        >>> for t in range(8):
        ...     now = belief.push(np.array([0.9, 0.1]), t / 4)
        >>> bool(now[0] > 0.9)
        True
    """

    def __init__(self, num_classes: int) -> None:
        self._now = np.full(num_classes, 1 / num_classes)
        self._time_s = math.nan

    def push(self, probabilities: np.ndarray, time_s: float) -> np.ndarray:
        """Takes a decision of the recognizer and returns the probabilities of the classes now.

        Args:
            probabilities: float (classes,).
            time_s: Time of the decision in seconds.

        Raises:
            ValueError: Another number of classes.
        """
        if probabilities.shape != self._now.shape:
            raise ValueError(
                f"probabilities must have one entry for each of {len(self._now)} classes. Received: "
                f"{probabilities.shape}."
            )
        seconds = 0.25 if math.isnan(self._time_s) else min(time_s - self._time_s, _EVIDENCE_S)
        self._time_s = time_s
        self._now = _normalized(_mixed(self._now, seconds) * _evidence(probabilities, seconds))
        return self._now


def smoothed_beliefs(probabilities: np.ndarray, fps: float) -> np.ndarray:
    """Probabilities of the classes at every frame, given the whole recording: forwards and backwards.

    Args:
        probabilities: float (frames, classes), `Decisions.frame_probabilities`.
        fps: Frames per second.

    Returns:
        float64 (frames, classes).
    """
    # A tenth of a second is fine enough, and keeps the loop short at any frame rate.
    every = max(1, round(fps / 10))
    seen = _evidence(np.asarray(probabilities, np.float64)[::every], every / fps)
    forth, back = np.empty_like(seen), np.empty_like(seen)
    now = np.full(seen.shape[1], 1 / seen.shape[1])
    for t, evidence in enumerate(seen):
        forth[t] = now = _normalized(_mixed(now, every / fps) * evidence)
    now = np.ones(seen.shape[1])
    for t in range(len(seen) - 1, -1, -1):
        back[t] = now
        now = _normalized(_mixed(now * seen[t], every / fps))
    both = forth * back
    both /= both.sum(axis=1, keepdims=True)
    return np.repeat(both, every, axis=0)[: len(probabilities)]


def _mixed(belief: np.ndarray, seconds: float) -> np.ndarray:
    """Beliefs after some seconds without evidence."""
    stays = math.exp(-seconds / _STAYS_S)
    return stays * belief + (1 - stays) * belief.mean()


def _evidence(probabilities: np.ndarray, seconds: float) -> np.ndarray:
    return np.maximum(probabilities, _LEAST) ** (seconds / _EVIDENCE_S)


def _normalized(belief: np.ndarray) -> np.ndarray:
    return belief / belief.sum()
