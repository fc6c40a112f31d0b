package org.skelgnn.core

/**
 * How a signal repeats.
 *
 * @property least Smallest rise of the signal that can be a repetition, in the signal's units (about degrees).
 * @property fastestS Duration of the fastest repetitions in seconds; determines the smoothing of the signal.
 * @property share Smallest rise as a fraction of the person's usual rise; a smaller one is an incomplete attempt.
 * @property fall Fraction of the rise by which the signal must fall again.
 * @property settled Fraction of the rise by which the signal falls before the end is predicted.
 * @property finish Delay of the end after the predicted end of the fall: a fraction of the time that the signal was
 *   high, and a constant in seconds.
 */
data class Movement(
    val least: Double,
    val fastestS: Double,
    val share: Double = 0.4,
    val fall: Double = 0.6,
    val settled: Double = 0.8,
    val finish: Pair<Double, Double> = 0.2 to 0.0,
)

/** Exercises with repetitions, as in `skelgnn_tf.motion.MOVEMENTS`; a test compares the two. */
internal val MOVEMENTS = mapOf(
    "squat" to Movement(16.0, 1.0, 0.35, 0.5, 0.8, 0.25 to -0.07),
    "lunge" to Movement(21.0, 1.8, 0.45, 0.5, 0.6, 0.36 to 0.16),
    "push_up" to Movement(28.0, 0.7, 0.4, 0.6, 0.8, 0.05 to -0.04),
    "sit_up" to Movement(10.0, 1.6, 0.4, 0.5, 0.8, 0.24 to -0.10),
    "jumping_jack" to Movement(28.0, 0.8, 0.33, 0.7, 0.8, 0.17 to -0.05),
    "deadlift" to Movement(25.0, 1.8, 0.4, 0.7, 0.8, 0.22 to -0.14),
    "overhead_press" to Movement(38.0, 0.9, 0.4, 0.55, 0.6, 0.13 to 0.02),
    "biceps_curl" to Movement(26.0, 0.8, 0.4, 0.6, 0.8, 0.17 to -0.06),
    "high_knees" to Movement(6.0, 0.25, 0.25, 0.5, 0.6, 0.34 to -0.01),
    "side_bend" to Movement(3.5, 1.2, 0.4, 0.6, 0.7, 0.08 to 0.12),
    "burpee" to Movement(25.0, 1.8, 0.25, 0.5, 0.5, 0.21 to -0.27),
)

/** Parts of the body that each exercise needs, as in `skelgnn_tf.motion.exercise_signals`; a test compares the two. */
internal val NEEDS = mapOf(
    "squat" to listOf("hip", "knee"),
    "lunge" to listOf("hip", "knee"),
    "push_up" to listOf("shoulder", "elbow", "wrist"),
    "sit_up" to listOf("shoulder", "hip", "knee"),
    "jumping_jack" to listOf("shoulder", "elbow", "wrist"),
    "deadlift" to listOf("shoulder", "hip", "knee"),
    "overhead_press" to listOf("shoulder", "elbow", "wrist"),
    "biceps_curl" to listOf("shoulder", "elbow", "wrist"),
    "high_knees" to listOf("hip", "knee"),
    "side_bend" to listOf("shoulder", "hip"),
    "burpee" to listOf("shoulder", "hip", "wrist"),
    "plank" to listOf("shoulder", "hip"),
)

/**
 * Returns the joints without which an exercise can be neither recognized nor counted: pairs, of each of which one must
 * be seen. Empty for a class that needs none, such as rest.
 */
fun neededJoints(exercise: String): List<Pair<String, String>> =
    NEEDS[exercise].orEmpty().map { "left_$it" to "right_$it" }

/** Finds the exercises for which enough of the body is seen. Mirrors `skelgnn_tf.motion.exercise_signals`. */
internal class SeenEnough(skeleton: Skeleton) {
    private val pairs = NEEDS.keys.associateWith { exercise ->
        neededJoints(exercise).map { (left, right) -> skeleton.index(left) to skeleton.index(right) }
    }

    /** Returns for each exercise whether the joints that it needs are seen. [jointsM] is NaN where one is not. */
    fun of(jointsM: DoubleArray): Map<String, Boolean> = pairs.mapValues { (_, needed) ->
        needed.all { (left, right) -> jointsM.joint(left).isFinite || jointsM.joint(right).isFinite }
    }
}
