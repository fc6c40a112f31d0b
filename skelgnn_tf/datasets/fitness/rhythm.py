"""When repetitions happen and how they differ: tempo, depth and form that drift smoothly from one to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skelgnn_tf.datasets.fitness.body import Body

#: A repetition that goes less deep than this part of the exercise's full range is an attempt and not counted.
COUNTED_DEPTH = 0.45


@dataclass(frozen=True)
class Tempo:
    """How an exercise repeats.

    Args:
        seconds: Shortest and longest repetition.
        pauses: Whether people stand still between repetitions, and begin late or end early.
        attempts: Whether a repetition may be given up early, which does not count.
        depths: Shallowest and deepest usual repetition, 1 being full range.
        alternating: Whether every repetition changes sides; None lets the clip decide.
    """

    seconds: tuple[float, float]
    pauses: bool = True
    attempts: bool = True
    depths: tuple[float, float] = (0.68, 1.0)
    alternating: bool | None = False


@dataclass(frozen=True)
class Rhythm:
    """The repetitions of one clip, per frame.

    Args:
        t: Seconds (frames,).
        phase: 0..1 within the movement, 0 between movements (frames,).
        movement: Index of the movement that the frame lies in or waits for (frames,).
        depth: How far that movement goes, 1 being full range (frames,).
        side: 0 left, 1 right: whose turn it is (frames,).
        finished: Counted repetitions that have ended, int32 (frames,).
        counts: Whether the movement is a repetition (frames,).
        centres: Middle of every movement in seconds (movements,).
        begin_s: When the first movement begins.
        end_s: When the last one ends.
    """

    t: np.ndarray
    phase: np.ndarray
    movement: np.ndarray
    depth: np.ndarray
    side: np.ndarray
    finished: np.ndarray
    counts: np.ndarray
    centres: np.ndarray
    begin_s: float
    end_s: float

    def bump(self, rise: float = 0.5, hold: float = 0.0) -> np.ndarray:
        """0 -> depth -> 0 over the phase: `rise` is when the bottom is reached, `hold` how long it lasts."""
        return self.depth * bump(self.phase, rise, hold)

    def drift(self, rng: np.random.Generator, deviation: float) -> np.ndarray:
        """A form setting that walks from movement to movement, smooth over the frames (frames,), mean 0."""
        return np.interp(self.t, self.centres, random_walk(rng, len(self.centres), deviation))

    def steps(self, rng: np.random.Generator, deviation: float) -> np.ndarray:
        """A setting that stays for a movement and walks from one to the next (frames,), mean 0."""
        return random_walk(rng, len(self.centres), deviation)[self.movement]

    def engaged(self, seconds: float = 0.9) -> np.ndarray:
        """0 before the first movement and after the last, 1 during the set (frames,)."""
        after = ease((self.t - self.begin_s + seconds) / seconds)
        return after * (1 - ease((self.t - self.end_s) / seconds))


def ease(x: np.ndarray) -> np.ndarray:
    """0 -> 1 with no speed and no acceleration at the ends (minimum jerk), clipped outside 0..1."""
    x = np.clip(x, 0, 1)
    return x**3 * (10 + x * (6 * x - 15))


def bump(phase: np.ndarray, rise: float = 0.5, hold: float = 0.0) -> np.ndarray:
    """0 -> 1 -> 0 over a phase 0..1, up at `rise`, down from `rise + hold`."""
    return ease(phase / rise) * (1 - ease((phase - rise - hold) / (1 - rise - hold)))


def random_walk(rng: np.random.Generator, steps: int, deviation: float, keep: float = 0.75) -> np.ndarray:
    """A stationary first-order walk (steps,) with mean 0."""
    out = rng.normal(size=steps) * deviation
    for k in range(1, steps):
        out[k] = keep * out[k - 1] + np.sqrt(1 - keep**2) * out[k]
    return out


def draw_rhythm(rng: np.random.Generator, num_frames: int, fps: float, tempo: Tempo) -> Rhythm:
    """Draws the repetitions of a clip.

    Args:
        rng: The clip's random numbers.
        num_frames: Length of the clip.
        fps: Frames per second.
        tempo: The exercise's ranges.
    """
    t = np.arange(num_frames) / fps
    most = int(t[-1] / tempo.seconds[0]) + 3
    typical = np.exp(rng.uniform(*np.log(tempo.seconds)))
    lasts = np.clip(typical * np.exp(random_walk(rng, most, 0.12)), *tempo.seconds)
    lead = rng.uniform(0.2, 2.0) if tempo.pauses and rng.random() < 0.6 else rng.uniform(0, 0.3)
    gaps = np.zeros(most)
    if tempo.pauses and rng.random() < 0.5:
        gaps = rng.uniform(0, 0.9) * rng.uniform(0.3, 1.2, most)
    shallow, full = tempo.depths
    spread = full - shallow
    depth = rng.uniform(shallow, full) + random_walk(rng, most, 0.22 * spread)
    depth = np.clip(depth, shallow - 0.4 * spread, full)
    counts = np.ones(most, bool)
    if tempo.attempts:
        counts = rng.random(most) >= 0.05
        # Well below the threshold, so that nobody need argue about an attempt.
        depth = np.where(counts, depth, depth.min() * rng.uniform(0.12, 0.32, most))
    starts = lead + np.cumsum(np.concatenate([[0.0], (lasts + gaps)[:-1]]))
    last = most - 1
    if tempo.pauses and rng.random() < 0.3:
        last = int(rng.integers(0, max(1, int(t[-1] / (typical + 0.3)))))
    ends = starts + lasts
    movement = np.minimum(np.searchsorted(ends, t, side="right"), last)
    phase = np.clip((t - starts[movement]) / lasts[movement], 0, 1)
    phase[t >= ends[last]] = 0.0
    alternating = rng.random() < 0.6 if tempo.alternating is None else tempo.alternating
    first = int(rng.integers(2))
    side = (first + np.arange(most) * alternating) % 2
    done = np.searchsorted(ends[: last + 1], t, side="right")
    finished = np.concatenate([[0], np.cumsum(counts)])[done].astype(np.int32)
    centres = (starts + ends)[: last + 1] / 2
    return Rhythm(
        t,
        phase,
        movement,
        depth[movement],
        side[movement],
        finished,
        counts[movement],
        centres,
        float(starts[0]),
        float(ends[last]),
    )


@dataclass
class Take:
    """All that a programme draws from: the clip's random numbers, the body and the repetitions."""

    rng: np.random.Generator
    body: Body
    rhythm: Rhythm

    @property
    def t(self) -> np.ndarray:
        """Seconds (frames,)."""
        return self.rhythm.t

    @property
    def num_frames(self) -> int:
        """Length of the clip."""
        return len(self.rhythm.t)

    def deg(self, low: float, high: float) -> float:
        """An angle drawn between two values in degrees, in radians."""
        return float(np.deg2rad(self.rng.uniform(low, high)))

    def metres(self, low: float, high: float) -> float:
        """A length drawn between two values in metres."""
        return float(self.rng.uniform(low, high))

    def chance(self, probability: float) -> bool:
        """Whether something happens in this clip."""
        return bool(self.rng.random() < probability)

    def noise(self, deviation: float, period_s: float = 2.0, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Smooth natural unrest with mean 0, (frames, *shape): a few sines of random period and phase."""
        waves = 4
        speed = 2 * np.pi / (period_s * np.exp(self.rng.normal(size=(waves, *shape)) * 0.5))
        start = self.rng.uniform(0, 2 * np.pi, (waves, *shape))
        size = deviation * np.sqrt(2 / waves) * self.rng.uniform(0.4, 1.3, (waves, *shape))
        t = self.t.reshape(-1, *[1] * len(speed.shape))
        return (size * np.sin(speed * t + start)).sum(axis=1)

    def drift(self, deviation: float) -> np.ndarray:
        """A form setting that walks from repetition to repetition (frames,), mean 0."""
        return self.rhythm.drift(self.rng, deviation)
