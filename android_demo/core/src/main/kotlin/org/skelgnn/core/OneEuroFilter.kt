package org.skelgnn.core

import kotlin.math.PI
import kotlin.math.abs

/**
 * A low-pass filter whose cutoff rises with the speed of what it filters, every number for itself: little jitter at
 * rest, little lag in motion. The twin of `skelgnn_tf/motion/one_euro.py`.
 *
 * @property minCutoffHz The cutoff of what does not move. Lower: less jitter at rest.
 * @property beta Hz per unit of speed (for poses Hz per m/s). Higher: less lag in motion.
 * @property derivativeCutoffHz The cutoff of the speed itself.
 */
class OneEuroFilter(
    private val minCutoffHz: Double = 1.0,
    private val beta: Double = 8.0,
    private val derivativeCutoffHz: Double = 3.0,
) {
    private class Channel {
        var value = Double.NaN
        var speed = 0.0
        var seenS = Double.NEGATIVE_INFINITY
    }

    private var channels = emptyList<Channel>()
    private var timeS = Double.NEGATIVE_INFINITY

    init {
        require(minCutoffHz > 0 && beta >= 0 && derivativeCutoffHz > 0) {
            "OneEuroFilter wants cutoffs above 0 Hz and beta of 0 or more; " +
                "got $minCutoffHz, $derivativeCutoffHz and $beta"
        }
    }

    /** Forgets what was seen. */
    fun reset() {
        channels = emptyList()
        timeS = Double.NEGATIVE_INFINITY
    }

    /**
     * Filters the next values. A missing one (NaN) stays NaN and changes nothing; one that comes back within [GAP_S] is
     * filtered by the time that has passed, later it starts anew.
     *
     * @param values As many at every call.
     * @param nowS When they were measured, later than those before.
     */
    fun push(values: DoubleArray, nowS: Double): DoubleArray {
        if (channels.isEmpty()) channels = values.map { Channel() }
        require(values.size == channels.size) { "OneEuroFilter got ${channels.size} values so far; now ${values.size}" }
        require(nowS > timeS) { "OneEuroFilter wants times that grow; got $nowS s after $timeS s" }
        timeS = nowS
        return DoubleArray(values.size) { i -> if (values[i].isFinite()) push(channels[i], values[i]) else Double.NaN }
    }

    private fun push(channel: Channel, value: Double): Double {
        val seconds = timeS - channel.seenS
        if (seconds <= GAP_S + ROUNDING_S) {
            val speed = (value - channel.value) / seconds
            channel.speed += share(derivativeCutoffHz, seconds) * (speed - channel.speed)
            channel.value += share(minCutoffHz + beta * abs(channel.speed), seconds) * (value - channel.value)
        } else {
            channel.speed = 0.0
            channel.value = value
        }
        channel.seenS = timeS
        return channel.value
    }

    /** How much of the way to a new value, [seconds] after the last one, a low-pass filter goes: 0..1. */
    private fun share(cutoffHz: Double, seconds: Double): Double = 1 / (1 + 1 / (2 * PI * cutoffHz * seconds))

    private companion object {
        const val ROUNDING_S = 1e-6
    }
}
