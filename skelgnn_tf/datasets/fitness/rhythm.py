"""The repetitions of a clip: their times, and a tempo, depth and form that drift from one to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skelgnn_tf.datasets.fitness.body import Body

#: A repetition with less than this fraction of the full range is an attempt and is not counted.
COUNTED_DEPTH = 0.45


@dataclass(frozen=True)
class Tempo:
    """How an exercise repeats.

    Args:
        seconds: Duration of the shortest and the longest repetition.
        pauses: Whether people pause between repetitions, and start late or end early.
        attempts: Whether some repetitions are stopped early and do not count.
        depths: Smallest and largest depth of usual repetitions; 1 is the full range.
        alternating: Whether the side changes with every repetition. None draws it for each clip.
        anywhere: Whether a clip may begin in the middle of a repetition.
    """

    seconds: tuple[float, float]
    pauses: bool = True
    attempts: bool = True
    depths: tuple[float, float] = (0.68, 1.0)
    alternating: bool | None = False
    anywhere: bool = False


@dataclass(frozen=True)
class Rhythm:
    """The repetitions of one clip, per frame.

    Args:
        t: Seconds (frames,).
        phase: Phase 0..1 within the movement, 0 between movements (frames,).
        movement: Index of the current or next movement (frames,).
        depth: Depth of that movement; 1 is the full range (frames,).
        side: Active side, 0 left, 1 right (frames,).
        finished: Number of counted repetitions that have ended, int32 (frames,).
        counts: Whether the movement is a counted repetition (frames,).
        centers: Middle of every movement in seconds (movements,).
        begin_s: Start of the first movement.
        end_s: End of the last movement.
    """

    t: np.ndarray
    phase: np.ndarray
    movement: np.ndarray
    depth: np.ndarray
    side: np.ndarray
    finished: np.ndarray
    counts: np.ndarray
    centers: np.ndarray
    begin_s: float
    end_s: float

    def bump(self, rise: float = 0.5, hold: float = 0.0) -> np.ndarray:
        """0 -> depth -> 0 over the phase. The maximum is reached at `rise` and lasts for `hold`."""
        return self.depth * bump(self.phase, rise, hold)

    def drift(self, rng: np.random.Generator, deviation: float) -> np.ndarray:
        """A random walk from movement to movement, smooth over the frames (frames,), with mean 0."""
        return np.interp(self.t, self.centers, random_walk(rng, len(self.centers), deviation))

    def steps(self, rng: np.random.Generator, deviation: float) -> np.ndarray:
        """A random walk that is constant during a movement (frames,), with mean 0."""
        return random_walk(rng, len(self.centers), deviation)[self.movement]

    def engaged(self, seconds: float = 0.9) -> np.ndarray:
        """0 before the first movement and after the last one, 1 during the set (frames,)."""
        after = ease((self.t - self.begin_s + seconds) / seconds)
        return after * (1 - ease((self.t - self.end_s) / seconds))


def ease(x: np.ndarray) -> np.ndarray:
    """0 -> 1 with zero speed and acceleration at the ends (minimum jerk), clipped outside 0..1."""
    x = np.clip(x, 0, 1)
    return x**3 * (10 + x * (6 * x - 15))


def bump(phase: np.ndarray, rise: float = 0.5, hold: float = 0.0) -> np.ndarray:
    """0 -> 1 -> 0 over a phase 0..1: 1 from `rise` to `rise + hold`."""
    return ease(phase / rise) * (1 - ease((phase - rise - hold) / (1 - rise - hold)))


def random_walk(rng: np.random.Generator, steps: int, deviation: float, keep: float = 0.75) -> np.ndarray:
    """A stationary first-order random walk (steps,) with mean 0."""
    out = rng.normal(size=steps) * deviation
    for k in range(1, steps):
        out[k] = keep * out[k - 1] + np.sqrt(1 - keep**2) * out[k]
    return out


def draw_rhythm(rng: np.random.Generator, num_frames: int, fps: float, tempo: Tempo) -> Rhythm:
    """Draws the repetitions of a clip.

    Args:
        rng: The clip's random numbers.
        num_frames: Number of frames of the clip.
        fps: Frames per second.
        tempo: How the exercise repeats.
    """
    t = np.arange(num_frames) / fps
    most = int(t[-1] / tempo.seconds[0]) + 3
    typical = np.exp(rng.uniform(*np.log(tempo.seconds)))
    lasts = np.clip(typical * np.exp(random_walk(rng, most, 0.12)), *tempo.seconds)
    lead = rng.uniform(0.2, 2.0) if tempo.pauses and rng.random() < 0.6 else rng.uniform(0, 0.3)
    if tempo.anywhere and rng.random() < 0.5:
        lead = -rng.uniform(0, typical)
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
        # Well below the threshold, so that an attempt is unambiguous.
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
    finished -= finished[0]
    centers = (starts + ends)[: last + 1] / 2
    return Rhythm(
        t,
        phase,
        movement,
        depth[movement],
        side[movement],
        finished,
        counts[movement],
        centers,
        float(starts[0]),
        float(ends[last]),
    )


@dataclass
class Take:
    """What an exercise is performed with: the clip's random numbers, the body and the repetitions."""

    rng: np.random.Generator
    body: Body
    rhythm: Rhythm

    @property
    def t(self) -> np.ndarray:
        """Seconds (frames,)."""
        return self.rhythm.t

    @property
    def num_frames(self) -> int:
        """Number of frames of the clip."""
        return len(self.rhythm.t)

    def deg(self, low: float, high: float) -> float:
        """Draws an angle between two values in degrees; returns radians."""
        return float(np.deg2rad(self.rng.uniform(low, high)))

    def meters(self, low: float, high: float) -> float:
        """Draws a length between two values in meters."""
        return float(self.rng.uniform(low, high))

    def chance(self, probability: float) -> bool:
        """Draws whether something happens in this clip."""
        return bool(self.rng.random() < probability)

    def noise(self, deviation: float, period_s: float = 2.0, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Smooth random motion with mean 0, (frames, *shape): a few sines with random period and phase."""
        waves = 4
        speed = 2 * np.pi / (period_s * np.exp(self.rng.normal(size=(waves, *shape)) * 0.5))
        start = self.rng.uniform(0, 2 * np.pi, (waves, *shape))
        size = deviation * np.sqrt(2 / waves) * self.rng.uniform(0.4, 1.3, (waves, *shape))
        t = self.t.reshape(-1, *[1] * len(speed.shape))
        return (size * np.sin(speed * t + start)).sum(axis=1)

    def drift(self, deviation: float) -> np.ndarray:
        """A random walk from repetition to repetition (frames,), with mean 0."""
        return self.rhythm.drift(self.rng, deviation)
