package org.skelgnn.core

/**
 * Computes joint angles in degrees; all are 0 for a person who stands upright with the arms hanging down. Mirrors
 * `skelgnn_tf.motion.joint_angles`.
 *
 * - `left_knee`, `left_elbow`, `right_knee`, `right_elbow`: flexion, which is 180 minus the inner angle.
 * - `left_hip`, `right_hip`: angle between the thigh and the downward direction of the trunk, in any plane.
 * - `left_shoulder`, `right_shoulder`: angle between the upper arm and the downward direction of the trunk; 90 with the
 *   arm straight forward or sideways, 180 overhead.
 * - `trunk_lean`: angle between the trunk and the image's upward direction.
 *
 * @throws IllegalArgumentException If the skeleton has no shoulders, elbows, wrists, hips, knees or ankles.
 */
class JointAngles(skeleton: Skeleton) {
    private val limbs = Limbs(skeleton)

    /**
     * Computes the angles of one pose.
     *
     * @param jointsM joints x 3, in the skeleton's order: meters, camera axes (x right, y down, z forward).
     * @return Degrees by name; NaN where a required joint is missing (NaN).
     */
    fun of(jointsM: DoubleArray): Map<String, Double> {
        val at = limbs.at(jointsM)
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
}

/** Upwards for a camera that is held level: y points down. */
internal val CAMERA_UP = Vector(0.0, -1.0, 0.0)

internal val SIDES = listOf("left", "right")

/** Looks up the positions of a skeleton's limb joints by name. */
internal class Limbs(skeleton: Skeleton) {
    private val index = SIDES
        .flatMap { side -> listOf("hip", "knee", "ankle", "shoulder", "elbow", "wrist").map { "${side}_$it" } }
        .associateWith { skeleton.index(it) }

    fun at(jointsM: DoubleArray) = Places(index.mapValues { (_, joint) -> jointsM.joint(joint) })
}

/** Joint positions by name. The midpoints are derived, as not every skeleton has a pelvis or thorax joint. */
internal class Places(private val joints: Map<String, Vector>) {
    val hips = (this["left_hip"] + this["right_hip"]) * 0.5
    val shoulders = (this["left_shoulder"] + this["right_shoulder"]) * 0.5

    operator fun get(joint: String): Vector = joints.getValue(joint)
}

/** Position of a joint in a pose of joints x 3 values. */
internal fun DoubleArray.joint(joint: Int) = Vector(this[3 * joint], this[3 * joint + 1], this[3 * joint + 2])
