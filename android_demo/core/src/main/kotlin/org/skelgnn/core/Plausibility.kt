package org.skelgnn.core

import kotlin.math.min

/**
 * What a measure must be in the middle third of a repetition, or how much it must change within it.
 *
 * @property measure A name of [MEASURES].
 * @property least Smallest value.
 * @property most Largest value.
 * @property changes Whether the bound is for the range of the measure within the repetition; otherwise it is for its
 *   median in the middle third.
 */
internal data class Bound(
    val measure: String,
    val least: Double = Double.NEGATIVE_INFINITY,
    val most: Double = Double.POSITIVE_INFINITY,
    val changes: Boolean = false,
)

/** The measures of the bounds: degrees, or lengths relative to the trunk or the arm. */
internal val MEASURES = mapOf<String, (BodyMeasures) -> Double>(
    "knee" to { body -> body.mean { knee } },
    "hip" to { body -> body.mean { hip } },
    "curl" to { body -> body.mean { curl } },
    "elbow" to { body -> body.larger { elbow } },
    "straighter_elbow" to { body -> body.smaller { elbow } },
    "shoulder" to { body -> body.larger { shoulder } },
    "lower_shoulder" to { body -> body.smaller { shoulder } },
    "hand_up" to { body -> body.larger { handUp } },
    "hand_forward" to { body -> body.mean { handForward } },
    "lean" to { body -> body.lean },
    "feet_wide" to { body -> body.feetWide },
    "stride" to { body -> body.stride },
)

/** Bounds of each exercise, as in `skelgnn_tf.motion.plausibility`, which explains them; a test compares the two. */
internal val BOUNDS = mapOf(
    "squat" to listOf(
        Bound("knee", least = 20.0, changes = true),
        Bound("knee", least = 30.0),
        Bound("stride", most = 0.8),
        Bound("lean", most = 70.0, changes = true),
    ),
    "lunge" to listOf(
        Bound("knee", least = 22.0, changes = true),
        Bound("stride", least = 0.4),
        Bound("hip", most = 95.0),
        Bound("lean", most = 45.0, changes = true),
        Bound("lower_shoulder", most = 60.0, changes = true),
    ),
    "push_up" to listOf(
        Bound("lean", least = 35.0),
        Bound("curl", most = 50.0),
        Bound("curl", most = 25.0, changes = true),
        Bound("lower_shoulder", most = 70.0, changes = true),
    ),
    "sit_up" to listOf(
        Bound("knee", most = 45.0, changes = true),
        Bound("knee", least = 25.0),
        Bound("curl", least = 50.0),
        Bound("lean", most = 80.0),
        // The shoulders of a crunch hardly leave the floor.
        Bound("lean", least = 15.0, changes = true),
    ),
    "jumping_jack" to listOf(
        Bound("feet_wide", least = 0.45),
        Bound("feet_wide", least = 0.15, changes = true),
        Bound("lower_shoulder", least = 20.0, changes = true),
        Bound("hip", most = 35.0, changes = true),
        Bound("knee", most = 45.0),
    ),
    "deadlift" to listOf(
        Bound("straighter_elbow", most = 35.0),
        Bound("hand_forward", least = 0.3),
        Bound("knee", most = 110.0),
        Bound("hip", least = 35.0),
        Bound("lean", least = 12.0, changes = true),
    ),
    "overhead_press" to listOf(
        Bound("shoulder", least = 85.0),
        Bound("hand_up", least = 0.15),
        Bound("hip", most = 45.0, changes = true),
        Bound("curl", most = 32.0, changes = true),
    ),
    "biceps_curl" to listOf(
        Bound("elbow", least = 60.0),
        Bound("shoulder", most = 70.0),
        Bound("lower_shoulder", most = 30.0, changes = true),
        Bound("curl", most = 22.0, changes = true),
        Bound("knee", most = 25.0, changes = true),
    ),
    "high_knees" to listOf(
        Bound("curl", most = 90.0),
        Bound("lean", most = 20.0, changes = true),
        Bound("feet_wide", most = 1.0),
    ),
    "side_bend" to listOf(
        Bound("knee", most = 30.0),
        Bound("hand_forward", most = 0.5),
        Bound("knee", most = 20.0, changes = true),
        Bound("curl", most = 35.0, changes = true),
    ),
    // From upright to a plank or a squat and back.
    "burpee" to listOf(Bound("curl", least = 100.0, changes = true)),
)

/** The [MEASURES] of a frame; NaN where a joint is missing. */
internal class MeasuredFrame(val timeS: Double, val measures: Map<String, Double>)

/**
 * Decides whether a rise and fall of an exercise's signal can be a repetition of it, from how the body is held and
 * moves. Mirrors `skelgnn_tf.motion.plausibility`.
 */
internal object Plausibility {
    /**
     * Returns whether a cycle can be a repetition of an exercise; one of an exercise without bounds always can.
     *
     * @param frames The frames of the cycle. A measure that is missing excludes nothing.
     * @param middleS First and last time of the middle third.
     */
    fun isPlausible(
        exercise: String,
        frames: List<MeasuredFrame>,
        middleS: ClosedFloatingPointRange<Double>,
    ): Boolean {
        val middle = frames.filter { it.timeS in middleS.start - ROUNDING_S..middleS.endInclusive + ROUNDING_S }
        return BOUNDS[exercise].orEmpty().all { keeps(it, if (it.changes) frames else middle) }
    }

    private fun keeps(bound: Bound, frames: List<MeasuredFrame>): Boolean {
        val seen = frames.map { it.measures.getValue(bound.measure) }.filter { it.isFinite() }.sorted()
        if (seen.isEmpty()) return true
        val value = if (bound.changes) seen.quantile(1 - OUTLIERS) - seen.quantile(OUTLIERS) else seen.quantile(0.5)
        return value in bound.least..bound.most
    }

    // The same value as in skelgnn_tf.motion.plausibility, which explains it; a test compares them.
    const val OUTLIERS = 0.05
    private const val ROUNDING_S = 1e-6
}

/** The quantile of sorted values, interpolated linearly; the median for a [share] of 0.5. */
internal fun List<Double>.quantile(share: Double): Double {
    val place = share * lastIndex
    val below = place.toInt()
    val above = min(below + 1, lastIndex)
    return this[below] + (place - below) * (this[above] - this[below])
}
