package org.skelgnn.core

import kotlin.math.PI
import kotlin.math.abs

/**
 * What a pose says about every exercise in [MOVEMENTS].
 *
 * @property signals Low at the start and end of each repetition and high in the middle; NaN where a joint that the
 *   exercise needs is missing.
 * @property measures The [MEASURES] of the pose, which tell a repetition from other movements.
 */
internal class ExerciseState(val signals: Map<String, Double>, val measures: Map<String, Double>)

/**
 * Computes the signals of all exercises and the measures of their plausibility, independently of the camera's viewpoint
 * and of the body's size. Where one side of the body is missing, the other one counts. Mirrors
 * `skelgnn_tf.motion.exercise_signals`.
 */
internal class ExerciseSignals(skeleton: Skeleton) {
    private val limbs = Limbs(skeleton)

    // The joint "neck" of Human3.6M is at the height of the nose.
    private val head = listOf("nose", "neck", "head").firstOrNull { it in skeleton.joints }?.let { skeleton.index(it) }
        ?: throw IllegalArgumentException(
            "skeleton must have a joint named nose, neck or head. " +
                "Received: ${skeleton.name} with ${skeleton.joints.joinToString()}.",
        )

    /** Computes the state of a pose; [jointsM] is NaN where a joint is missing. */
    fun of(jointsM: DoubleArray): ExerciseState {
        val body = BodyMeasures(limbs.at(jointsM), jointsM.joint(head))
        return ExerciseState(signals(body), MEASURES.mapValues { (_, of) -> of(body) })
    }

    private fun signals(body: BodyMeasures): Map<String, Double> {
        // Feet outside the picture leave the bend of the hips.
        val legs = firstSeen((body.mean { knee } + body.mean { hip }) / 2, body.mean { hip })
        return mapOf(
            "squat" to legs,
            "lunge" to legs,
            "push_up" to body.mean { elbow },
            "sit_up" to (body.mean { curl } - body.lean) / 2,
            "jumping_jack" to
                body.mean { shoulder } / 2 + 20 * body.mean { handUp } + 20 * firstSeen(body.feetApart, 0.0),
            "deadlift" to body.mean { hip },
            // The exercise may use one arm or both.
            "overhead_press" to body.larger { shoulder },
            "biceps_curl" to body.larger { elbow / 2 + 40 * handForward },
            // The knees take turns, so their difference falls to zero between two of them.
            "high_knees" to body.apart { firstSeen(curl - 60 * leg, 1.4 * curl - 100) } / 1.5,
            "side_bend" to abs(body.aside) * 180 / PI,
            // High when the hands are on the floor in front of the chest and the trunk is horizontal.
            "burpee" to 45 * body.mean { handForward } + body.lean / 2,
        )
    }
}
