package org.skelgnn.core

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt

/** Angles in degrees of one side of the body, and lengths relative to the arm or to the trunk. */
internal class BodySide(
    val knee: Double,
    val hip: Double,
    val elbow: Double,
    val shoulder: Double,
    /** Angle from head to knee about the hips, which also captures sit-ups that only curl the back. */
    val curl: Double,
    /** How far the hand is above the shoulder, in arm lengths. */
    val handUp: Double,
    /** How far the hand is in front of the shoulder, in arm lengths. */
    val handForward: Double,
    /** Distance of the ankle from the hips: a knee that moves towards the camera barely rotates in a lifted pose. */
    val leg: Double,
)

/**
 * Measures of a pose that are the same from every camera and for every body size: angles and relative lengths. Joints
 * that are missing are NaN. Mirrors `skelgnn_tf.motion.body_measures`.
 */
internal class BodyMeasures(private val at: Places, headM: Vector) {
    private val headUp = headM - at.hips
    private val trunk = at.shoulders - at.hips

    // Without hips, the trunk of a person whose head and chest are seen is taken as upright.
    private val up = if (trunk.isFinite) trunk else CAMERA_UP
    private val trunkM = max(trunk.length, Vector.TINY)
    private val across = (at["right_hip"] - at["left_hip"]).unit
    private val feet = (at["left_ankle"] - at["right_ankle"]) * (1 / trunkM)
    private val sides = SIDES.map { side(it) }

    /** Lean of the trunk in the picture, in degrees. */
    val lean = trunk.angleDeg(CAMERA_UP)

    /** Sideways bend of the trunk relative to the legs: a tilted camera or hip line cancels out. */
    val aside = (headUp.unit + legsDown().unit) dot across

    /** Distance of the ankles in trunk lengths. */
    val feetApart = feet.length

    /** The part of [feetApart] along the line of the hips. */
    val feetWide = abs(feet dot across)

    /** The part of [feetApart] perpendicular to the line of the hips. */
    val stride = sqrt(max(feetApart * feetApart - feetWide * feetWide, 0.0))

    /** Mean of a measure of both sides, or that of the side that is seen. */
    fun mean(measure: BodySide.() -> Double): Double = both(measure) { left, right -> (left + right) / 2 }

    /** Difference of a measure between the sides, or that of the side that is seen. */
    fun apart(measure: BodySide.() -> Double): Double = both(measure) { left, right -> abs(left - right) }

    /** The larger of a measure of both sides, or that of the side that is seen. */
    fun larger(measure: BodySide.() -> Double): Double = both(measure, ::max)

    /** The smaller of a measure of both sides, or that of the side that is seen. */
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

/** The first of several values that is not missing. */
internal fun firstSeen(vararg choices: Double): Double = choices.firstOrNull { it.isFinite() } ?: choices.last()
