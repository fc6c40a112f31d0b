package org.skelgnn.core

import kotlin.math.PI
import kotlin.math.abs

/**
 * A low-pass filter whose cutoff frequency rises with the speed of the signal: little jitter at rest, little lag in
 * motion. Each value is filtered independently. Mirrors `skelgnn_tf.motion.OneEuroFilter`.
 *
 * @property minCutoffHz Cutoff frequency at rest. Lower values reduce jitter.
 * @property beta Increase of the cutoff frequency in Hz per unit of speed (for poses, Hz per m/s). Higher values reduce
 *   lag.
 * @property derivativeCutoffHz Cutoff frequency for the speed.
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
            "minCutoffHz and derivativeCutoffHz must be positive and beta must not be negative. " +
                "Received: $minCutoffHz, $derivativeCutoffHz and $beta."
        }
    }

    /** Discards all previous values. */
    fun reset() {
        channels = emptyList()
        timeS = Double.NEGATIVE_INFINITY
    }

    /**
     * Filters the next values. A missing value (NaN) stays NaN and leaves the filter unchanged. A value that returns
     * within [GAP_S] is filtered with the elapsed time; after a longer gap its filter restarts.
     *
     * @param values Values to filter, the same number at every call.
     * @param nowS Time of the values in seconds, later than the previous ones.
     * @return Filtered values.
     */
    fun push(values: DoubleArray, nowS: Double): DoubleArray {
        if (channels.isEmpty()) channels = values.map { Channel() }
        require(values.size == channels.size) {
            "values must have ${channels.size} numbers, as in the first call. Received: ${values.size}. " +
                "Call reset() before filtering other values."
        }
        require(nowS > timeS) {
            "nowS must be later than the previous $timeS s. Received: $nowS s. Use the camera's timestamps."
        }
        timeS = nowS
        return DoubleArray(values.size) { i -> if (values[i].isFinite()) push(channels[i], values[i]) else Double.NaN }
    }

    private fun push(channel: Channel, value: Double): Double {
        val seconds = timeS - channel.seenS
        if (seconds <= GAP_S + ROUNDING_S) {
            val speed = (value - channel.value) / seconds
            channel.speed += smoothing(derivativeCutoffHz, seconds) * (speed - channel.speed)
            channel.value += smoothing(minCutoffHz + beta * abs(channel.speed), seconds) * (value - channel.value)
        } else {
            channel.speed = 0.0
            channel.value = value
        }
        channel.seenS = timeS
        return channel.value
    }

    /** Smoothing factor of a low-pass filter for values [seconds] apart: 0..1. */
    private fun smoothing(cutoffHz: Double, seconds: Double): Double = 1 / (1 + 1 / (2 * PI * cutoffHz * seconds))

    private companion object {
        const val ROUNDING_S = 1e-6
    }
}
