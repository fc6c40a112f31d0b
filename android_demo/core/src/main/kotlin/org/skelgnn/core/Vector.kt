package org.skelgnn.core

import kotlin.math.PI
import kotlin.math.atan2
import kotlin.math.max
import kotlin.math.sqrt

/** A position or direction in space, in meters. */
internal class Vector(val x: Double, val y: Double, val z: Double) {
    val length: Double get() = sqrt(this dot this)

    /** Whether the position is known. */
    val isFinite: Boolean get() = x.isFinite() && y.isFinite() && z.isFinite()

    /** Unit vector; zero stays zero. */
    val unit: Vector get() = this * (1 / max(length, TINY))

    operator fun plus(other: Vector) = Vector(x + other.x, y + other.y, z + other.z)

    operator fun minus(other: Vector) = Vector(x - other.x, y - other.y, z - other.z)

    operator fun unaryMinus() = Vector(-x, -y, -z)

    operator fun times(factor: Double) = Vector(x * factor, y * factor, z * factor)

    infix fun dot(other: Vector): Double = x * other.x + y * other.y + z * other.z

    infix fun cross(other: Vector) =
        Vector(y * other.z - z * other.y, z * other.x - x * other.z, x * other.y - y * other.x)

    /** Angle to another vector in degrees, 0..180; 0 if either is zero. */
    fun angleDeg(other: Vector): Double = atan2((this cross other).length, this dot other) * 180 / PI

    companion object {
        /** Lengths below this are treated as zero. */
        const val TINY = 1e-9
    }
}
