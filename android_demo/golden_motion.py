"""Golden values of motion and counting: filters, angles, signals, measures, cycles, beliefs, counts and form."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from golden_plausibility import MISSING, bounds_and_cycles

from skelgnn_tf import skeletons
from skelgnn_tf.datasets.fitness import PHONE_CLASSES as CLASSES
from skelgnn_tf.datasets.fitness import generate
from skelgnn_tf.motion import (
    MOVEMENTS,
    Movement,
    OneEuroFilter,
    Repetition,
    RepetitionCounter,
    Repetitions,
    cycles,
    default_targets,
    exercise_cycles,
    exercise_decision,
    form,
    joint_angles,
    measure_form,
    plausibility,
    repetitions,
)
from skelgnn_tf.motion.exercise_signals import ExerciseState, exercise_state, needed_joints, seen_enough

_HOP, _SEED = 8, 20
#: The modules that name the constants of counting, and the joints that are lost in a part of each set.
_COUNTING = (cycles, exercise_cycles, exercise_decision, plausibility, repetitions)
_LOST = ("wrist", "knee")


def motion() -> dict:
    """Noisy poses of generated exercises with gaps, and their filtered poses, angles, signals and counts."""
    rng = np.random.default_rng(1)
    exercises = list(MOVEMENTS)
    return {
        "skeleton": skeleton(),
        "classes": list(CLASSES),
        "movements": {name: [*movement[:-1], *movement[-1]] for name, movement in MOVEMENTS.items()},
        "constants": {module.__name__.rpartition(".")[2]: _constants(module) for module in _COUNTING},
        "idle_classes": list(exercise_decision.IDLE),
        "needed_joints": {name: [list(pair) for pair in needed_joints(name)] for name in CLASSES},
        "plausibility": bounds_and_cycles(),
        "clips": [_measured(rng, name) for name in exercises],
        "hidden": [_hidden(rng, name) for name in exercises],
        "absent": [_absent(rng, name) for name in ("squat", "deadlift")],
        "rough": [_cycles(rng, name) for name in exercises],
        "beliefs": _beliefs(rng),
        "targets": _targets(),
        "form_constants": {"HELD": form._HELD, "MOVES": form._MOVES},
        "holds": list(form.HOLDS),
        "forms": [_formed(rng, name) for name in exercises] + [_held(rng, name) for name in form.HOLDS],
        "sets": [_recognized(rng, *_changing(rng)) for _ in range(6)]
        + [_recognized(rng, *_pausing(rng)) for _ in range(3)],
    }


def skeleton() -> dict:
    """The skeleton of all poses."""
    return {
        "name": skeletons.H36M_17.name,
        "joints": skeletons.H36M_17.joints,
        "parents": skeletons.H36M_17.parents,
    }


def _constants(module: ModuleType) -> dict[str, float]:
    """The numbers that a module names or imports, without their underscore."""
    return {
        name.lstrip("_"): value for name, value in vars(module).items() if name.isupper() and isinstance(value, float)
    }


def _measured(rng: np.random.Generator, exercise: str) -> dict:
    """One given exercise."""
    times, poses = _seen(rng, generate(1, _SEED, frames=210, exercise=exercise, detector=False)[0].pose_m)
    smooth, counter = OneEuroFilter(), RepetitionCounter(skeletons.H36M_17, exercise=exercise)
    filtered = np.array([smooth.push(pose, time) for pose, time in zip(poses, times, strict=True)])
    results = [counter.push(pose, time) for pose, time in zip(poses, times, strict=True)]
    state = exercise_state(poses, skeletons.H36M_17)
    return {
        "exercise": exercise,
        "times_s": times.tolist(),
        "pose_m": _plain(poses),
        "filtered": _plain(filtered[:, ::4]),
        "angles": {name: _plain(values) for name, values in joint_angles(poses, skeletons.H36M_17).items()},
        "state": _state(state),
        "cycles": _cycles_of_all(state, times),
        "counter": _counted(counter, results),
    }


def _cycles_of_all(state: ExerciseState, times: np.ndarray) -> dict:
    """The cycles that each exercise's signal has while one of them is done."""
    found = exercise_cycles.ExerciseCycles(list(MOVEMENTS))
    frames = [ExerciseState(*({n: v[t] for n, v in part.items()} for part in state)) for t in range(len(times))]
    ended = [found.push(frame, time) for frame, time in zip(frames, times, strict=True)]
    return {
        "ended": [*ended, found.finish()],
        "plausible": {name: [list(cycle) for cycle in all_] for name, all_ in found.cycles.items()},
        "doubtful": {name: [list(cycle) for cycle in all_] for name, all_ in found.doubtful.items()},
    }


def _absent(rng: np.random.Generator, exercise: str) -> dict:
    """An exercise in which the person is away for longer than frames are kept, from each of many frames on."""
    clip = generate(1, _SEED, frames=150, exercise=exercise, detector=False)[0]
    poses = np.round(clip.pose_m + rng.normal(0, 0.005, clip.pose_m.shape), 3)
    state, cases = exercise_state(poses, skeletons.H36M_17), []
    for leaves in range(45, 145, 5):
        times = np.arange(150) / 30 + (np.arange(150) >= leaves) * 40
        cases.append({"times_s": times.tolist(), "cycles": _cycles_of_all(state, times)})
    return {"exercise": exercise, "pose_m": _plain(poses), "cases": cases}


def _hidden(rng: np.random.Generator, exercise: str) -> dict:
    """Poses of an exercise of which other joints are seen in every frame, and what they say about all exercises."""
    poses = generate(1, _SEED, frames=60, exercise=exercise, detector=False)[0].pose_m.astype(np.float64)
    poses[rng.random(poses.shape[:2]) < rng.uniform(0, 0.6, (60, 1))] = np.nan
    seen = {name: values.astype(int).tolist() for name, values in seen_enough(poses, skeletons.H36M_17).items()}
    return {"pose_m": _plain(poses), "state": _state(exercise_state(poses, skeletons.H36M_17)), "seen_enough": seen}


def _state(state: ExerciseState) -> dict:
    return {part: {name: _plain(v) for name, v in values.items()} for part, values in state._asdict().items()}


def _counted(counter: RepetitionCounter, results: list[Repetitions]) -> dict:
    """What a counter has said after each frame, and its repetitions then and when the recording ends."""
    live = _listed(counter.repetitions)
    last = counter.finish()
    return {
        "exercise": [one.exercise or "" for one in results],
        "count": [int(one.count) for one in results],
        "phase": [one.phase for one in results],
        "repetitions": live,
        "finished": {
            "exercise": last.exercise or "",
            "count": int(last.count),
            "repetitions": _listed(counter.repetitions),
        },
    }


def _listed(found: list[Repetition]) -> list[dict]:
    return [{"exercise": one.exercise, "numbers": [*one[1:4], int(one.complete)]} for one in found]


def _cycles(rng: np.random.Generator, exercise: str) -> dict:
    """An irregular signal that covers all tempos and amplitudes that the counting rules distinguish."""
    movement = MOVEMENTS[exercise]
    times = np.cumsum(rng.uniform(0.6, 1.4, 900)) / 30
    tempo = 2 * np.pi * np.cumsum(rng.uniform(0.1, 1.5, 9)).repeat(100) / movement.fastest_s
    values = movement.least * (2 * rng.uniform(0, 1.5, 9).repeat(100) * np.sin(tempo * times) + rng.normal(0, 0.3, 900))
    values[rng.random(900) < 0.05] = np.nan
    # The signal is lost for longer than is bridged, too.
    values[400:425] = np.nan
    counter, counts, phases = cycles.CycleCounter(movement), [], []
    for value, time in zip(values, times, strict=True):
        counts.append(counter.push(value, time))
        phases.append(counter.phase)
    return {
        "exercise": exercise,
        "times_s": times.tolist(),
        "values": _plain(values),
        "count": counts,
        "phase": phases,
        "cycles": [list(cycle) for cycle in counter.cycles],
        "finished": [_finished(movement, values[:end], times[:end]) for end in range(25, 900, 25)],
    }


def _finished(movement: Movement, values: np.ndarray, times: np.ndarray) -> list[list[float]]:
    """The cycles of a recording of a signal."""
    counter = cycles.CycleCounter(movement)
    for value, time in zip(values, times, strict=True):
        counter.push(value, time)
    counter.finish()
    return [list(cycle) for cycle in counter.cycles]


def _beliefs(rng: np.random.Generator) -> dict:
    """Decisions at irregular times, and what is believed after each."""
    probabilities = rng.dirichlet(np.full(len(CLASSES), 0.3), 200).astype(np.float32)
    times = np.cumsum(rng.choice([0.1, 0.27, 0.5, 3.0], 200))
    belief = exercise_decision.ExerciseBelief(len(CLASSES))
    return {
        "times_s": times.tolist(),
        "probabilities": probabilities.tolist(),
        "beliefs": [belief.push(one, time).tolist() for one, time in zip(probabilities, times, strict=True)],
    }


def _targets() -> dict:
    """The angle of depth and the targets of each exercise; None for any value."""
    return {
        name: {
            "angle": one.angles[0],
            "depth_deg": one.depth_deg,
            "asymmetry_deg": one.asymmetry_deg,
            "hold_s": one.hold_s,
        }
        for name, one in default_targets().items()
    }


def _formed(rng: np.random.Generator, exercise: str) -> dict:
    """Filtered poses of an exercise that one arm and one leg do less and less of, and the form of its repetitions."""
    poses = generate(1, _SEED, frames=300, exercise=exercise, detector=False)[0].pose_m
    poses = np.round(poses + rng.normal(0, 0.003, poses.shape), 3)
    left = [joint for joint, name in enumerate(skeletons.H36M_17.joints) if name.startswith("left_")]
    poses[:, left] += np.linspace(0, 1, 300)[:, None, None] * (poses[:1, left] - poses[:, left])
    poses[250:, left] = np.nan
    times, counter = np.arange(300) / 30, RepetitionCounter(skeletons.H36M_17, exercise=exercise)
    for pose, time in zip(poses, times, strict=True):
        counter.push(pose, time)
    counter.finish()
    return _form_of(poses, times, counter.repetitions)


def _held(rng: np.random.Generator, exercise: str) -> dict:
    """Filtered poses of a position, and its form when it is held for longer and for shorter than it should be."""
    fps, seconds = 10, 90
    poses = generate(1, _SEED, frames=fps * seconds, exercise=exercise, detector=False)[0].pose_m
    poses = np.round(poses + rng.normal(0, 0.003, poses.shape), 3)
    right = [joint for joint, name in enumerate(skeletons.H36M_17.joints) if name.startswith("right_")]
    poses[fps * 80 :, right] = np.nan
    spans_s = ((2.0, 70.04), (30.0, 79.0), (0.0, 89.9), (81.0, 89.0))
    holds = [Repetition(exercise, start_s, start_s, end_s) for start_s, end_s in spans_s]
    return _form_of(poses, np.arange(fps * seconds) / fps, holds)


def _form_of(poses: np.ndarray, times: np.ndarray, found: list[Repetition]) -> dict:
    """Filtered poses of one exercise and the form of its repetitions, or of a position that is held."""
    targets = default_targets()
    forms = measure_form(poses, skeletons.H36M_17, times, found, targets)
    sides = [one.asymmetry_deg.get(targets[one.exercise].angles[0]) for one in forms]
    parts = [value for one in forms for value in (one.there_s, one.hold_s, one.back_s)]
    return {
        "times_s": times.tolist(),
        "pose_m": _plain(poses),
        "repetitions": _listed(found),
        "depth_deg": _known([one.depth_deg for one in forms]),
        "asymmetry_deg": _known(sides),
        "parts_s": _known(parts),
        "cues": [list(one.cues) for one in forms],
    }


def _known(values: list[float | None]) -> list[float]:
    return [MISSING if value is None else value for value in values]


def _changing(rng: np.random.Generator) -> tuple[list[str], list[int]]:
    """Alternating exercises, some of them very short, and their frames."""
    names = rng.choice(["jumping_jack", "high_knees", "biceps_curl", "rest", "other"], 7)
    return names.tolist(), rng.choice([40, 80, 160], 7).tolist()


def _pausing(rng: np.random.Generator) -> tuple[list[str], list[int]]:
    """Two exercises with pauses between their sets."""
    first, second = rng.permutation(["jumping_jack", "high_knees", "biceps_curl"])[:2].tolist()
    return [first, "rest", first, "other", second, "rest", first], [200] * 7


def _recognized(rng: np.random.Generator, names: list[str], frames: list[int]) -> dict:
    """A set of exercises, counted with the noisy decisions of an action model."""
    clips = [
        generate(1, int(rng.integers(100)), frames=number, exercise=name, detector=False, scenes="phone")[0]
        for name, number in zip(names, frames, strict=True)
    ]
    labels = np.repeat([clip.label for clip in clips], frames)
    times, poses = _seen(rng, np.concatenate([clip.pose_m - clip.pose_m[:, :1] for clip in clips]))
    lost = [joint for joint, name in enumerate(skeletons.H36M_17.joints) if name.endswith(_LOST)]
    # For longer than it takes until the exercise is unknown.
    poses[250:370, lost] = np.nan
    decisions: list[np.ndarray | None] = []
    for frame in range(len(poses)):
        scores = rng.normal(size=len(CLASSES))
        # The window of an action model is four seconds long, so its decisions are about two seconds late.
        scores[labels[max(frame - 60, 0)]] += 3
        probabilities = (np.exp(scores) / np.exp(scores).sum()).astype(np.float32)
        decisions.append(probabilities if frame % _HOP == _HOP - 1 else None)
    given = names[0] if names[0] in MOVEMENTS else "high_knees"
    return {
        "times_s": times.tolist(),
        "pose_m": _plain(poses),
        "hop": _HOP,
        "probabilities": [one.tolist() for one in decisions if one is not None],
        "recognized": _followed(None, times, poses, decisions),
        "given": given,
        "counted": _followed(given, times, poses, decisions),
    }


def _followed(given: str | None, times: np.ndarray, poses: np.ndarray, decisions: list[np.ndarray | None]) -> dict:
    """The frames of a set, counted with the decisions; with a given exercise or without."""
    counter = RepetitionCounter(skeletons.H36M_17, classes=CLASSES, exercise=given)
    return _counted(counter, [counter.push(*frame) for frame in zip(poses, times, decisions, strict=True)])


def _seen(rng: np.random.Generator, pose_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Irregular times and noisy poses with a short gap, a long gap and missing joints."""
    times = 100 + np.cumsum(rng.uniform(0.6, 1.4, len(pose_m))) / 30
    poses = np.round(pose_m + rng.normal(0, 0.005, pose_m.shape), 3)
    poses[60:65] = np.nan
    poses[90:93, 5:9] = np.nan
    poses[150:170] = np.nan
    return times, poses


def _plain(values: np.ndarray) -> list:
    return np.where(np.isfinite(values), values, MISSING).tolist()
