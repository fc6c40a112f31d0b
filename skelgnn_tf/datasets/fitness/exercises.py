"""The list of exercises: their names, how they repeat, and the functions that perform them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from skelgnn_tf.datasets.fitness import everyday, floor, standing, stepping, variants
from skelgnn_tf.datasets.fitness import other_exercises as other
from skelgnn_tf.datasets.fitness.kinematics import Pose
from skelgnn_tf.datasets.fitness.rhythm import Take, Tempo

Perform = Callable[[Take], Pose]


@dataclass(frozen=True)
class Exercise:
    """A class of the data set.

    Args:
        name: Name of the class, as in `PHONE_CLASSES`.
        studio: Functions that perform the exercise in studio scenes. A clip draws one of them.
        tempo: How the exercise repeats there, or None if there is nothing to count.
        phone: The same for phone scenes; a function that stands there twice is drawn twice as often.
        phone_tempo: How the exercise repeats in phone scenes.
        needs: What must be seen in a phone scene: of each group of joints one, on any side.
    """

    name: str
    studio: tuple[Perform, ...]
    tempo: Tempo | None
    phone: tuple[Perform, ...]
    phone_tempo: Tempo | None = None
    needs: tuple[str, ...] = ()


def _at_home(low_s: float, high_s: float, **options: object) -> Tempo:
    """A tempo of phone scenes: clips begin and end anywhere, and repetitions differ more."""
    return Tempo((low_s, high_s), **{"depths": (0.55, 1.0), "anywhere": True} | options)  # type: ignore[arg-type]


_LEGS, _ARMS, _FLOOR = ("hip", "knee"), ("shoulder", "elbow", "wrist"), ("shoulder", "hip", "knee")

EXERCISES = (
    Exercise(
        "squat",
        (standing.squat,),
        Tempo((1.6, 4.5)),
        (standing.squat, standing.squat, variants.wide_squat),
        _at_home(0.9, 5.0),
        _LEGS,
    ),
    Exercise(
        "lunge",
        (stepping.lunge,),
        Tempo((1.8, 4.2), alternating=True),
        (stepping.lunge, stepping.lunge, variants.split_squat, variants.split_squat, variants.walking_lunge),
        _at_home(1.2, 5.0, alternating=None),
        _LEGS,
    ),
    Exercise(
        "push_up",
        (floor.push_up,),
        Tempo((1.1, 3.6)),
        (floor.push_up, floor.push_up, variants.knee_push_up),
        _at_home(0.7, 5.0),
        ("shoulder", "elbow", "hip"),
    ),
    Exercise(
        "sit_up",
        (floor.sit_up,),
        Tempo((1.6, 4.5)),
        (floor.sit_up, floor.full_sit_up),
        _at_home(1.0, 5.0),
        _FLOOR,
    ),
    Exercise(
        "jumping_jack",
        (stepping.jumping_jack,),
        Tempo((0.8, 1.7), pauses=False, attempts=False, depths=(0.8, 1.0)),
        (stepping.jumping_jack, stepping.jumping_jack, variants.half_jack, variants.step_jack),
        _at_home(0.7, 2.2, attempts=False),
        ("shoulder", "wrist", "hip", "knee"),
    ),
    Exercise(
        "deadlift",
        (standing.deadlift,),
        Tempo((1.8, 5.0), depths=(0.78, 1.0)),
        (standing.deadlift, variants.deep_deadlift),
        _at_home(1.2, 5.5),
        ("shoulder", "hip", "knee"),
    ),
    Exercise(
        "overhead_press",
        (standing.overhead_press,),
        Tempo((1.4, 4.2), depths=(0.95, 1.0), alternating=True),
        (standing.overhead_press, variants.dumbbell_press),
        _at_home(0.9, 5.0, depths=(0.8, 1.0), alternating=None),
        _ARMS,
    ),
    Exercise(
        "biceps_curl",
        (standing.biceps_curl,),
        Tempo((1.3, 4.2), depths=(0.8, 1.0), alternating=True),
        (standing.biceps_curl, variants.strict_curl, variants.seated_curl),
        _at_home(0.8, 5.0, depths=(0.65, 1.0), alternating=None),
        _ARMS,
    ),
    Exercise(
        "high_knees",
        (stepping.high_knees,),
        Tempo((0.45, 1.1), pauses=False, attempts=False, alternating=True),
        (stepping.high_knees, variants.running_knees),
        _at_home(0.25, 1.2, pauses=False, attempts=False, alternating=True),
        _LEGS,
    ),
    Exercise(
        "side_bend",
        (standing.side_bend,),
        Tempo((1.8, 4.5), alternating=None),
        (standing.side_bend, variants.weighted_side_bend),
        _at_home(1.2, 5.0, alternating=None),
        ("shoulder", "hip"),
    ),
    Exercise("plank", (floor.plank,), None, (floor.plank,), None, ("shoulder", "hip", "knee")),
    Exercise(
        "burpee",
        (floor.burpee,),
        Tempo((2.6, 5.5), attempts=False),
        (floor.burpee,),
        _at_home(1.8, 6.0, attempts=False),
        _FLOOR,
    ),
    Exercise("rest", (standing.stand, stepping.walk), None, (standing.stand, stepping.walk)),
    Exercise(
        "other",
        (),
        None,
        (*everyday.MOTIONS, *other.EXERCISES),
        _at_home(0.8, 5.0, alternating=None),
    ),
)

#: Names of the classes of studio scenes by label. Standing and walking are "rest".
CLASSES = tuple(exercise.name for exercise in EXERCISES if exercise.studio)
#: Those of phone scenes: the same, and "other" for everything that has no class.
PHONE_CLASSES = tuple(exercise.name for exercise in EXERCISES)
