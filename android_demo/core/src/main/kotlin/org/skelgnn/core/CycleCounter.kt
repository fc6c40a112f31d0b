package org.skelgnn.core

import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min

/**
 * Counts how often a signal rises and returns. Mirrors `skelgnn_tf.motion.cycles`.
 *
 * A repetition is a rise by at least [threshold], followed by a fall by the fraction `fall` of that rise. It ends when
 * the signal is at rest or rises again. The end is predicted from the durations of the rise and the fall, so that a
 * repetition is counted neither during the return movement nor late.
 */
internal class CycleCounter(private val movement: Movement) {
    private val ends = mutableListOf<Double>()
    private var usualRise = 0.0
    private var usualHighS = 0.0
    private var value = Double.NaN
    private var timeS = Double.NaN
    private var isHigh = false
    private var low = 0.0
    private var peak = 0.0
    private var risenS = 0.0
    private var fallsS = 0.0
    private var fallenS = 0.0
    private var endS = Double.POSITIVE_INFINITY
    private var nearlyLow = Double.POSITIVE_INFINITY
    private var before: Before? = null

    /** State before the last fall, restored if that fall turns out to be a short dip. */
    private class Before(
        val low: Double,
        val risenS: Double,
        val peak: Double,
        val usualRise: Double,
        val usualHighS: Double,
    )

    /** End times of the counted repetitions, in seconds. */
    val endsS: List<Double> get() = ends

    /** Smallest rise that counts as a repetition. */
    private val threshold: Double get() = max(movement.least, movement.share * usualRise)

    /** Progress within the repetition, 0..1; 0 at rest. */
    val phase: Double
        get() {
            if (value.isNaN()) return 0.0
            val scale = max(max(usualRise, threshold), if (isHigh) peak - low else 0.0)
            val risen = if (scale > 0) ((value - low) / scale).coerceIn(0.0, 1.0) else 0.0
            if (isHigh) {
                val isGoingBack = peak - value > GOING_BACK * (peak - low)
                return if (isGoingBack) 1 - risen / 2 else min((peak - low) / scale, 1.0) / 2
            }
            if (endS < Double.POSITIVE_INFINITY) {
                val left = (endS - timeS) / max(endS - fallenS, Vector.TINY)
                return 1 - 0.25 * left.coerceIn(0.0, 1.0)
            }
            return if (risen > GOING_BACK) risen / 2 else 0.0
        }

    /** Adds a value of the signal; NaN if it is missing. */
    fun push(next: Double, nowS: Double) {
        if (nowS >= endS) count(endS)
        if (!next.isFinite()) return
        if (value.isNaN() || nowS - timeS > GAP_S + ROUNDING_S) {
            restart(next, nowS)
            return
        }
        val last = value
        val lastS = timeS
        value = last + (1 - exp(-(nowS - lastS) / (SMOOTHING * movement.fastestS))) * (next - last)
        timeS = nowS
        if (isHigh) whileHigh(last, lastS) else whileLow(last, lastS)
    }

    /** Starts again after a long gap: values from before it say nothing about the signal after it. */
    private fun restart(next: Double, nowS: Double) {
        value = next
        timeS = nowS
        low = next
        risenS = nowS
        isHigh = false
        peak = 0.0
        fallsS = 0.0
        fallenS = 0.0
        endS = Double.POSITIVE_INFINITY
        nearlyLow = Double.POSITIVE_INFINITY
        before = null
    }

    private fun whileLow(last: Double, lastS: Double) {
        val threshold = threshold
        low = min(low, value)
        if (endS < Double.POSITIVE_INFINITY) predictEnd(last, lastS)
        val half = low + threshold / 2
        if (last < half && half <= value) risenS = whenAt(half, last, lastS)
        if (value - low < threshold) return
        val before = before
        if (endS < Double.POSITIVE_INFINITY && before != null) {
            if (timeS - fallenS < SHORTEST_LOW * min(fallenS - before.risenS, usualHighS)) {
                // The dip is too short to end a repetition: the previous one continues.
                low = before.low
                risenS = before.risenS
                peak = max(before.peak, value)
                usualRise = before.usualRise
                usualHighS = before.usualHighS
                isHigh = true
                fallsS = timeS
                endS = Double.POSITIVE_INFINITY
                return
            }
            count(timeS)
        }
        isHigh = true
        peak = value
        fallsS = timeS
    }

    private fun whileHigh(last: Double, lastS: Double) {
        peak = max(peak, value)
        var rise = peak - low
        // Raising the hands to the start of a press is a large rise before the first repetition.
        if (usualRise > 0) rise = min(rise, max(LARGEST_RISE * usualRise, threshold))
        val begins = peak - FALL_BEGINS * rise
        val fallen = peak - movement.fall * rise
        if (last > begins && begins >= value) fallsS = whenAt(begins, last, lastS)
        if (value > fallen) return
        fallenS = if (last > fallen) whenAt(fallen, last, lastS) else timeS
        val highS = fallenS - risenS
        isHigh = false
        if (highS >= SHORTEST_HIGH * movement.fastestS) {
            before = Before(low, risenS, peak, usualRise, usualHighS)
            endS = max(fallenS + REST_OF_HIGH * highS, timeS)
            nearlyLow = peak - movement.settled * rise
            predictEnd(last, lastS)
            usualRise = towards(usualRise, rise)
            usualHighS = towards(usualHighS, highS)
        }
        low = value
    }

    /** Predicts the end of the repetition once the signal has nearly returned. */
    private fun predictEnd(last: Double, lastS: Double) {
        if (value > nearlyLow || nearlyLow == Double.POSITIVE_INFINITY) return
        val before = checkNotNull(before)
        val lowS = if (last > nearlyLow) whenAt(nearlyLow, last, lastS) else timeS
        val (part, seconds) = movement.finish
        var highS = fallenS - before.risenS
        if (before.usualHighS > 0) highS = min(highS, LONGEST_HIGH * before.usualHighS)
        endS = max(lowS + FALL_GOES_ON * (lowS - fallsS) + part * highS + seconds, timeS)
        nearlyLow = Double.POSITIVE_INFINITY
    }

    /** Time at which the signal crossed a level, by linear interpolation from the previous value. */
    private fun whenAt(level: Double, last: Double, lastS: Double) =
        lastS + (level - last) / (value - last) * (timeS - lastS)

    private fun count(timeS: Double) {
        ends += timeS
        endS = Double.POSITIVE_INFINITY
    }

    private fun towards(usual: Double, new: Double) = if (usual != 0.0) usual + LEARNING * (new - usual) else new

    private companion object {
        const val ROUNDING_S = 1e-6
        const val GOING_BACK = 0.15
        const val LARGEST_RISE = 1.3
        const val FALL_BEGINS = 0.3

        // The same values as in skelgnn_tf.motion.cycles, which explains them.
        const val SMOOTHING = 0.06
        const val LEARNING = 0.3
        const val FALL_GOES_ON = 0.5
        const val LONGEST_HIGH = 1.5
        const val REST_OF_HIGH = 0.5
        const val SHORTEST_HIGH = 0.3
        const val SHORTEST_LOW = 0.25
    }
}
