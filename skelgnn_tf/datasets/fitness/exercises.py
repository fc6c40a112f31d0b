"""The list of exercises: their names, how they repeat, and the functions that perform them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from skelgnn_tf.datasets.fitness import floor, standing, stepping
from skelgnn_tf.datasets.fitness.kinematics import Pose
from skelgnn_tf.datasets.fitness.rhythm import Take, Tempo


@dataclass(frozen=True)
class Exercise:
    """A class of the data set.

    Args:
        name: Name of the class, as in `CLASSES`.
        variants: Functions that perform the exercise. A clip draws one of them.
        tempo: How the exercise repeats, or None if there is nothing to count.
    """

    name: str
    variants: tuple[Callable[[Take], Pose], ...]
    tempo: Tempo | None


EXERCISES = (
    Exercise("squat", (standing.squat,), Tempo((1.6, 4.5))),
    Exercise("lunge", (stepping.lunge,), Tempo((1.8, 4.2), alternating=True)),
    Exercise("push_up", (floor.push_up,), Tempo((1.1, 3.6))),
    Exercise("sit_up", (floor.sit_up,), Tempo((1.6, 4.5))),
    Exercise(
        "jumping_jack", (stepping.jumping_jack,), Tempo((0.8, 1.7), pauses=False, attempts=False, depths=(0.8, 1.0))
    ),
    Exercise("deadlift", (standing.deadlift,), Tempo((1.8, 5.0), depths=(0.78, 1.0))),
    Exercise("overhead_press", (standing.overhead_press,), Tempo((1.4, 4.2), depths=(0.95, 1.0), alternating=True)),
    Exercise("biceps_curl", (standing.biceps_curl,), Tempo((1.3, 4.2), depths=(0.8, 1.0), alternating=True)),
    Exercise("high_knees", (stepping.high_knees,), Tempo((0.45, 1.1), pauses=False, attempts=False, alternating=True)),
    Exercise("side_bend", (standing.side_bend,), Tempo((1.8, 4.5), alternating=None)),
    Exercise("plank", (floor.plank,), None),
    Exercise("burpee", (floor.burpee,), Tempo((2.6, 5.5), attempts=False)),
    Exercise("rest", (standing.stand, stepping.walk), None),
)

#: Names of the classes by label. Standing and walking are "rest".
CLASSES = tuple(exercise.name for exercise in EXERCISES)
