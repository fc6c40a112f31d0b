package org.skelgnn.core

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.max
import kotlin.math.sin

/**
 * Parameters of an exercise's repetitions.
 *
 * @property least Smallest rise of the signal that can be a repetition, in the signal's units (about degrees).
 * @property fastestS Duration of the fastest repetitions in seconds; determines the smoothing of the signal.
 * @property share Smallest rise as a fraction of the person's usual rise; a smaller one is an incomplete attempt.
 * @property fall Fraction of the rise by which the signal must fall again.
 * @property settled Fraction of the rise by which the signal falls before the end is predicted.
 * @property finish Delay of the end after the predicted end of the fall: a fraction of the time that the signal was
 *   high, and a constant in seconds.
 */
internal data class Movement(
    val least: Double,
    val fastestS: Double,
    val share: Double,
    val fall: Double,
    val settled: Double,
    val finish: Pair<Double, Double>,
)

/** Exercises with repetitions, as in `skelgnn_tf.motion.MOVEMENTS`; a test compares the two. */
internal val MOVEMENTS = mapOf(
    "squat" to Movement(20.0, 1.6, 0.35, 0.5, 0.8, 0.25 to -0.07),
    "lunge" to Movement(29.0, 1.8, 0.45, 0.5, 0.6, 0.36 to 0.16),
    "push_up" to Movement(28.0, 1.1, 0.4, 0.6, 0.8, 0.05 to -0.04),
    "sit_up" to Movement(10.0, 1.6, 0.4, 0.5, 0.8, 0.24 to -0.10),
    "jumping_jack" to Movement(28.0, 0.8, 0.33, 0.7, 0.8, 0.17 to -0.05),
    "deadlift" to Movement(25.0, 1.8, 0.4, 0.7, 0.8, 0.22 to -0.14),
    "overhead_press" to Movement(60.0, 1.4, 0.4, 0.55, 0.6, 0.13 to 0.02),
    "biceps_curl" to Movement(37.0, 1.3, 0.4, 0.6, 0.8, 0.17 to -0.06),
    "high_knees" to Movement(6.0, 0.45, 0.25, 0.5, 0.6, 0.34 to -0.01),
    "side_bend" to Movement(3.5, 1.8, 0.4, 0.6, 0.7, 0.08 to 0.12),
    "burpee" to Movement(25.0, 2.6, 0.25, 0.5, 0.5, 0.21 to -0.27),
)

/**
 * Computes one signal per exercise that is low at the start and end of each repetition and high in the middle,
 * independently of the camera's viewpoint. Mirrors `skelgnn_tf.motion.exercise_signals`.
 */
internal class ExerciseSignals(private val skeleton: Skeleton) {
    private val limbs = Limbs(skeleton)
    private val angles = JointAngles(skeleton)

    // The joint "neck" of Human3.6M is at the height of the nose.
    private val head = listOf("nose", "neck", "head").firstOrNull { it in skeleton.joints }?.let { skeleton.index(it) }
        ?: throw IllegalArgumentException(
            "skeleton must have a joint named nose, neck or head. " +
                "Received: ${skeleton.name} with ${skeleton.joints.joinToString()}.",
        )

    private class Side(
        val knee: Double,
        val hip: Double,
        val elbow: Double,
        val shoulder: Double,
        val curl: Double,
        val handUp: Double,
        val handForward: Double,
        val kneeUp: Double,
    ) {
        val handToShoulder = elbow / 2 + 40 * handForward
    }

    /** Names of the joints that each exercise's signal is computed from. */
    val joints: Map<String, Set<String>> by lazy {
        // Any pose shows them: without one of these joints, the signal is NaN.
        val pose = DoubleArray(3 * skeleton.joints.size) { sin(it.toDouble()) }
        val missing = skeleton.joints.withIndex().associate { (joint, name) ->
            name to of(pose.copyOf().also { it.fill(Double.NaN, 3 * joint, 3 * joint + 3) })
        }
        MOVEMENTS.mapValues { (name, _) -> missing.filterValues { it.getValue(name).isNaN() }.keys }
    }

    /** Returns the signal of each exercise in [MOVEMENTS]; NaN where a joint is missing. */
    fun of(jointsM: DoubleArray): Map<String, Double> {
        val at = limbs.at(jointsM)
        val angle = angles.of(at)
        val headUp = jointsM.joint(head) - at.hips
        val (left, right) = SIDES.map { side(it, at, angle, headUp) }
        val trunkM = max((at.shoulders - at.hips).length, Vector.TINY)
        val lean = angle.getValue("trunk_lean")
        val legs = (left.knee + right.knee + left.hip + right.hip) / 4
        val feetApart = (at["left_ankle"] - at["right_ankle"]).length / trunkM
        return mapOf(
            "squat" to legs,
            "lunge" to legs,
            "push_up" to mean(left.elbow, right.elbow),
            "sit_up" to (mean(left.curl, right.curl) - lean) / 2,
            "jumping_jack" to
                mean(left.shoulder, right.shoulder) / 2 + 20 * mean(left.handUp, right.handUp) + 20 * feetApart,
            "deadlift" to mean(left.hip, right.hip),
            // The exercise may use one arm or both.
            "overhead_press" to max(left.shoulder, right.shoulder),
            "biceps_curl" to max(left.handToShoulder, right.handToShoulder),
            "high_knees" to max(left.kneeUp, right.kneeUp),
            "side_bend" to bendDeg(at, headUp),
            // High when the hands are on the floor in front of the chest and the trunk is horizontal.
            "burpee" to 45 * mean(left.handForward, right.handForward) + lean / 2,
        )
    }

    private fun side(name: String, at: Places, angle: Map<String, Double>, headUp: Vector): Side {
        val trunk = at.shoulders - at.hips
        // Perpendicular to the trunk and to the line between the shoulders.
        val forward = (trunk cross (at["right_shoulder"] - at["left_shoulder"])).unit
        val (shoulder, elbow, wrist) = listOf("shoulder", "elbow", "wrist").map { at["${name}_$it"] }
        val armM = max((elbow - shoulder).length + (wrist - elbow).length, Vector.TINY)
        val reach = (wrist - shoulder) * (1 / armM)
        val curl = 180 - headUp.angleDeg(at["${name}_knee"] - at.hips)
        val ankleM = (at["${name}_ankle"] - at.hips).length
        return Side(
            knee = angle.getValue("${name}_knee"),
            hip = angle.getValue("${name}_hip"),
            elbow = angle.getValue("${name}_elbow"),
            shoulder = angle.getValue("${name}_shoulder"),
            // Angle from head to knee about the hips, which also captures sit-ups that only curl the back.
            curl = curl,
            handUp = reach dot trunk.unit,
            handForward = reach dot forward,
            // A knee that moves towards the camera barely rotates in a lifted pose, but its ankle rises.
            kneeUp = (curl - 60 * ankleM / max(trunk.length, Vector.TINY)) / 1.5,
        )
    }

    /** Sideways bend of the trunk relative to the legs: a tilted camera or hip line cancels out. */
    private fun bendDeg(at: Places, headUp: Vector): Double {
        val legsDown = (at["left_ankle"] + at["right_ankle"]) * 0.5 - at.hips
        return abs((headUp.unit + legsDown.unit) dot (at["right_hip"] - at["left_hip"]).unit) * 180 / PI
    }

    private fun mean(left: Double, right: Double) = (left + right) / 2
}
