package org.skelgnn.core

import kotlin.math.abs
import kotlin.math.round

/**
 * What a good repetition looks like.
 *
 * @property angle The angle of depth: "knee", "trunk_lean", ..., of both sides if there are two.
 * @property depthDeg The angle of depth must reach this, in degrees; null for any depth.
 * @property asymmetryDeg Left and right must not differ by more than this; null for any difference.
 * @property holdS The end position must be held for this long, in seconds; null for any time.
 */
internal data class Target(
    val angle: String,
    val depthDeg: Double?,
    val asymmetryDeg: Double? = null,
    val holdS: Double? = null,
)

/** Targets by exercise, as in `skelgnn_tf/motion/targets.toml`, which names their sources; a test compares the two. */
internal val TARGETS = mapOf(
    "squat" to Target("knee", 90.0, 30.0),
    "lunge" to Target("knee", 90.0),
    "push_up" to Target("elbow", 90.0, 35.0),
    "sit_up" to Target("hip", 110.0),
    "jumping_jack" to Target("shoulder", 140.0, 25.0),
    "deadlift" to Target("hip", 75.0, 20.0),
    "overhead_press" to Target("shoulder", 150.0, 20.0),
    "biceps_curl" to Target("elbow", 110.0, 25.0),
    "high_knees" to Target("hip", 90.0),
    "side_bend" to Target("trunk_lean", 20.0),
    "burpee" to Target("trunk_lean", 60.0),
    "plank" to Target("hip", null, holdS = 60.0),
)

/** Exercises without repetitions: a position that is held. */
internal val HOLDS = setOf("plank")

/**
 * How a repetition was done, or how a position was held.
 *
 * @property repetition The repetition, or the time in which the position was held.
 * @property depthDeg Largest angle of depth in degrees: the mean of both sides if both move; null if the joints were
 *   not seen in all of its frames, and for a position that is held.
 * @property asymmetryDeg By how many degrees the largest angle of the left side exceeds that of the right; null if only
 *   one side is seen or moves.
 * @property thereS Duration of the way to the end position in seconds; null without a depth.
 * @property holdS Time at the end position; null without a depth, unless a position was held. [thereS], [holdS] and
 *   [backS] add up to the whole repetition.
 * @property backS Duration of the way back; null without a depth.
 */
data class RepetitionForm(
    val repetition: Repetition,
    val depthDeg: Double? = null,
    val asymmetryDeg: Double? = null,
    val thereS: Double? = null,
    val holdS: Double? = null,
    val backS: Double? = null,
) {
    /** What falls short of the target, in whole degrees and tenths of a second. */
    val cues: List<Cue> get() = buildList {
        val target = TARGETS.getValue(repetition.exercise)
        if (!repetition.isComplete) add(Cue.Partial)
        if (depthDeg != null && target.depthDeg != null && round(depthDeg) < target.depthDeg) {
            add(Cue.Depth(round(depthDeg).toInt(), target.depthDeg.toInt()))
        }
        if (asymmetryDeg != null && target.asymmetryDeg != null && round(abs(asymmetryDeg)) > target.asymmetryDeg) {
            val lower = if (asymmetryDeg > 0) "right" else "left"
            add(Cue.Uneven(lower, round(abs(asymmetryDeg)).toInt(), target.asymmetryDeg.toInt()))
        }
        val heldS = holdS?.let { round(10 * it) / 10 }
        if (heldS != null && target.holdS != null && heldS < target.holdS) {
            add(Cue.Held(heldS, target.holdS.toInt()))
        }
    }
}
