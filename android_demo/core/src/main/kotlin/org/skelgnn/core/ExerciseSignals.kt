package org.skelgnn.core

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min

/**
 * What a pose says about every exercise in [MOVEMENTS].
 *
 * @property signals Low at the start and end of each repetition and high in the middle; NaN where a joint that the
 *   exercise needs is missing.
 * @property postures Whether the body may be in the middle of a repetition.
 */
internal class ExerciseState(val signals: Map<String, Double>, val postures: Map<String, Boolean>)

/**
 * Computes the signals and postures of all exercises, independently of the camera's viewpoint and of the body's size.
 * Where one side of the body is missing, the other one counts. Mirrors `skelgnn_tf.motion.exercise_signals`.
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
        val body = Body(limbs.at(jointsM), jointsM.joint(head))
        return ExerciseState(signals(body), postures(body))
    }

    private fun signals(body: Body): Map<String, Double> {
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

    // What is not seen excludes nothing: a comparison with NaN is false.
    private fun postures(body: Body): Map<String, Boolean> {
        val thighs = body.mean { hip }
        val hands = body.larger { handUp }
        val bent = body.larger { larger(knee, hip) }
        return mapOf(
            "squat" to (bent > 35),
            "lunge" to (bent > 30),
            "push_up" to (!(body.lean < 20) && !(thighs > 90)),
            "sit_up" to (thighs > 40),
            "jumping_jack" to (hands > -0.3),
            "deadlift" to (thighs > 35),
            "overhead_press" to (hands > 0.3 && body.smaller { elbow } < 110),
            "biceps_curl" to (body.larger { elbow } > 55 && hands < 0.7),
            "high_knees" to !(body.lean > 60),
            "side_bend" to !(thighs > 60),
            "burpee" to !(body.lean < 25),
        )
    }
}

/** Angles in degrees of one side of the body, and lengths relative to the arm or to the trunk. */
private class BodySide(
    val knee: Double,
    val hip: Double,
    val elbow: Double,
    val shoulder: Double,
    /** Angle from head to knee about the hips, which also captures sit-ups that only curl the back. */
    val curl: Double,
    val handUp: Double,
    val handForward: Double,
    /** Distance of the ankle from the hips: a knee that moves towards the camera barely rotates in a lifted pose. */
    val leg: Double,
)

/** Measures of a body. Joints that are missing are NaN. */
private class Body(private val at: Places, headM: Vector) {
    private val headUp = headM - at.hips
    private val trunk = at.shoulders - at.hips

    // Without hips, the trunk of a person whose head and chest are seen is taken as upright.
    private val up = if (trunk.isFinite) trunk else CAMERA_UP
    private val trunkM = max(trunk.length, Vector.TINY)
    private val sides = SIDES.map { side(it) }

    /** Lean of the trunk in the picture, in degrees. */
    val lean = trunk.angleDeg(CAMERA_UP)
    val feetApart = (at["left_ankle"] - at["right_ankle"]).length / trunkM

    /** Sideways bend of the trunk relative to the legs: a tilted camera or hip line cancels out. */
    val aside = (headUp.unit + legsDown().unit) dot (at["right_hip"] - at["left_hip"]).unit

    /** Mean of a measure of both sides, or that of the side that is seen. */
    fun mean(measure: BodySide.() -> Double): Double = both(measure) { left, right -> (left + right) / 2 }

    /** Difference of a measure between the sides, or that of the side that is seen. */
    fun apart(measure: BodySide.() -> Double): Double = both(measure) { left, right -> abs(left - right) }

    fun larger(measure: BodySide.() -> Double): Double = both(measure, ::max)

    fun smaller(measure: BodySide.() -> Double): Double = both(measure, ::min)

    private fun both(measure: BodySide.() -> Double, join: (Double, Double) -> Double): Double {
        val (left, right) = sides.map(measure)
        return firstSeen(join(left, right), left, right)
    }

    private fun side(name: String): BodySide {
        val (hip, knee, ankle) = listOf("hip", "knee", "ankle").map { at["${name}_$it"] }
        val (shoulder, elbow, wrist) = listOf("shoulder", "elbow", "wrist").map { at["${name}_$it"] }
        // Perpendicular to the trunk and to the line between the shoulders.
        val forward = (up cross (at["right_shoulder"] - at["left_shoulder"])).unit
        val armM = max((elbow - shoulder).length + (wrist - elbow).length, Vector.TINY)
        val reach = wrist - shoulder
        return BodySide(
            knee = (knee - hip).angleDeg(ankle - knee),
            hip = (-up).angleDeg(knee - hip),
            elbow = (elbow - shoulder).angleDeg(wrist - elbow),
            shoulder = (-up).angleDeg(elbow - shoulder),
            curl = (-headUp).angleDeg(knee - at.hips),
            handUp = (reach dot up.unit) / armM,
            handForward = (reach dot forward) / armM,
            leg = (ankle - at.hips).length / trunkM,
        )
    }

    private fun legsDown(): Vector =
        listOf("ankle", "knee").map { middle(it) - at.hips }.firstOrNull { it.isFinite } ?: -CAMERA_UP

    private fun middle(joint: String): Vector {
        val (left, right) = SIDES.map { at["${it}_$joint"] }
        return listOf((left + right) * 0.5, left).firstOrNull { it.isFinite } ?: right
    }
}

/** The larger of two values, or the one that is not missing. */
private fun larger(a: Double, b: Double): Double = firstSeen(max(a, b), a, b)

/** The first of several values that is not missing. */
private fun firstSeen(vararg choices: Double): Double = choices.firstOrNull { it.isFinite() } ?: choices.last()
