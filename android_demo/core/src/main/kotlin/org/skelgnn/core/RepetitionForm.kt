package org.skelgnn.core

import kotlin.math.abs
import kotlin.math.round

/**
 * What a good repetition looks like.
 *
 * @property angle The angle of depth: "knee", "trunk_lean", ..., of both sides if there are two.
 * @property depthDeg The angle of depth must reach this, in degrees.
 * @property asymmetryDeg Left and right must not differ by more than this; null for any difference.
 */
internal data class Target(val angle: String, val depthDeg: Double, val asymmetryDeg: Double? = null)

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
)

/**
 * How a repetition was done.
 *
 * @property repetition The repetition.
 * @property depthDeg Largest angle of depth in degrees: the mean of both sides if both move; null if the joints were
 *   not seen in all of its frames.
 * @property asymmetryDeg By how many degrees the largest angle of the left side exceeds that of the right; null if only
 *   one side is seen or moves.
 */
data class RepetitionForm(val repetition: Repetition, val depthDeg: Double?, val asymmetryDeg: Double?) {
    /** What falls short of the target, in whole degrees. */
    val cues: List<Cue> get() = buildList {
        val target = TARGETS.getValue(repetition.exercise)
        if (!repetition.isComplete) add(Cue.Partial)
        if (depthDeg != null && round(depthDeg) < target.depthDeg) {
            add(Cue.Depth(round(depthDeg).toInt(), target.depthDeg.toInt()))
        }
        if (asymmetryDeg != null && target.asymmetryDeg != null && round(abs(asymmetryDeg)) > target.asymmetryDeg) {
            val lower = if (asymmetryDeg > 0) "right" else "left"
            add(Cue.Uneven(lower, round(abs(asymmetryDeg)).toInt(), target.asymmetryDeg.toInt()))
        }
    }
}

/** Measures repetitions in the poses of the last seconds. Mirrors depth and asymmetry of `skelgnn_tf.motion.form`. */
class FormMeter(skeleton: Skeleton) {
    private val angles = JointAngles(skeleton)
    private val recent = ArrayDeque<Pair<Double, Map<String, Double>>>()

    /** Adds a frame. @param jointsM joints x 3 in meters, filtered; NaN where a joint is not seen. */
    fun push(jointsM: DoubleArray, nowS: Double) {
        recent += nowS to angles.of(jointsM)
        while (recent.first().first < nowS - ExerciseCycles.LONGEST_S) recent.removeFirst()
    }

    /** Measures a repetition that has ended within the last seconds. */
    fun of(repetition: Repetition): RepetitionForm {
        val timesS = repetition.startS - ROUNDING_S..repetition.endS + ROUNDING_S
        val during = recent.filter { (timeS, _) -> timeS in timesS }
        val angle = TARGETS.getValue(repetition.exercise).angle
        val seen = (SIDES.map { "${it}_$angle" } + angle).map { name -> during.mapNotNull { (_, all) -> all[name] } }
            .filter { values -> values.isNotEmpty() && values.all { it.isFinite() } }
        // With less than half of the other side's range, a side does not take part, as in a curl with one arm.
        val moving = seen.filter { range(it) >= MOVES * seen.maxOf(::range) }
        if (moving.isEmpty()) return RepetitionForm(repetition, null, null)
        val depthDeg = during.indices.maxOf { frame -> moving.map { it[frame] }.average() }
        val asymmetryDeg = if (moving.size == 2) moving.first().max() - moving.last().max() else null
        return RepetitionForm(repetition, depthDeg, asymmetryDeg)
    }

    private fun range(values: List<Double>) = values.max() - values.min()

    // The same values as in skelgnn_tf.motion.form; a test compares those with a name there.
    internal companion object {
        const val MOVES = 0.5
        private const val ROUNDING_S = 1e-9
    }
}
