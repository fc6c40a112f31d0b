package org.skelgnn.core

/**
 * Joint angles of poses in degrees, 0 for somebody who stands straight with hanging arms: the twin of
 * `skelgnn_tf/motion/joint_angles.py`.
 *
 * - `left_knee`, `left_elbow` and the right ones: how far they are bent; 180 less it is the angle inside.
 * - `left_hip`: the thigh against the trunk's line downwards, in whatever direction it goes.
 * - `left_shoulder`: the upper arm against the trunk's line downwards; 90 straight ahead or aside, 180 overhead.
 * - `trunk_lean`: the trunk against what is up in the picture.
 *
 * @throws IllegalArgumentException The skeleton lacks a shoulder, elbow, wrist, hip, knee or ankle.
 */
class JointAngles(skeleton: Skeleton) {
    private val limbs = Limbs(skeleton)

    /**
     * @param jointsM joints x 3 of the skeleton: metres, camera axes (x right, y down, z forward).
     * @return Degrees by name; NaN where a joint that is needed is missing (NaN).
     */
    fun of(jointsM: DoubleArray): Map<String, Double> = of(limbs.at(jointsM))

    internal fun of(at: Places): Map<String, Double> {
        val down = at.hips - at.shoulders
        return buildMap {
            for (side in SIDES) {
                val thigh = at["${side}_knee"] - at["${side}_hip"]
                val upperArm = at["${side}_elbow"] - at["${side}_shoulder"]
                put("${side}_knee", thigh.angleDeg(at["${side}_ankle"] - at["${side}_knee"]))
                put("${side}_hip", down.angleDeg(thigh))
                put("${side}_elbow", upperArm.angleDeg(at["${side}_wrist"] - at["${side}_elbow"]))
                put("${side}_shoulder", down.angleDeg(upperArm))
            }
            put("trunk_lean", (-down).angleDeg(CAMERA_UP))
        }
    }

    private companion object {
        /** Straight up in a camera that is held level: y points down. */
        val CAMERA_UP = Vector(0.0, -1.0, 0.0)
    }
}

internal val SIDES = listOf("left", "right")

/** Where the joints of a skeleton's limbs lie, by name. */
internal class Limbs(skeleton: Skeleton) {
    private val index = SIDES
        .flatMap { side -> listOf("hip", "knee", "ankle", "shoulder", "elbow", "wrist").map { "${side}_$it" } }
        .associateWith { skeleton.index(it) }

    fun at(jointsM: DoubleArray) = Places(index.mapValues { (_, joint) -> jointsM.joint(joint) })
}

/** Joints by name; not every layout has a hip or a thorax of its own, but its sides all have. */
internal class Places(private val joints: Map<String, Vector>) {
    val hips = (this["left_hip"] + this["right_hip"]) * 0.5
    val shoulders = (this["left_shoulder"] + this["right_shoulder"]) * 0.5

    operator fun get(joint: String): Vector = joints.getValue(joint)
}

/** A joint of a pose of joints x 3 numbers. */
internal fun DoubleArray.joint(joint: Int) = Vector(this[3 * joint], this[3 * joint + 1], this[3 * joint + 2])
