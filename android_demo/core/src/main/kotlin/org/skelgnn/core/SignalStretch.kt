package org.skelgnn.core

import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min

/**
 * A stretch of a signal without a long gap, which begins with the value [raw] at [timeS]. Adds its repetitions to
 * [counted]. Mirrors `skelgnn_tf.motion.cycles`.
 */
internal class SignalStretch(
    private val movement: Movement,
    private val usual: Usual,
    private val counted: MutableList<Cycle>,
    raw: Double,
    timeS: Double,
) {
    /** The last value, not smoothed. */
    var raw = raw
        private set

    /** Time of the last value in seconds. */
    var timeS = timeS
        private set
    private var value = raw
    private var isHigh = false
    private var low = raw
    private var lowS = timeS
    private var peak = 0.0
    private var peakS = 0.0
    private var risenS = timeS
    private var fallsS = 0.0
    private var fallenS = 0.0
    private var endS = Double.POSITIVE_INFINITY
    private var nearlyLow = Double.POSITIVE_INFINITY
    private var before: Before? = null

    /** The repetition that ends next, and the state that is restored if its fall turns out to be a short dip. */
    private class Before(val cycle: Cycle, val risenS: Double, val usualRise: Double, val usualHighS: Double)

    /** Smallest rise that counts as a repetition. */
    private val threshold: Double get() = max(movement.least, movement.share * usual.rise)

    /** Progress within the repetition, 0..1; 0 at rest. */
    val phase: Double
        get() {
            val scale = max(max(usual.rise, threshold), if (isHigh) peak - low else 0.0)
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

    /** Adds the next value. */
    fun push(next: Double, nowS: Double) {
        val last = value
        val lastS = timeS
        raw = next
        value = last + (1 - exp(-(nowS - lastS) / (SMOOTHING * movement.fastestS))) * (next - last)
        timeS = nowS
        if (isHigh) whileHigh(last, lastS) else whileLow(last, lastS)
    }

    /** Counts the repetition that was predicted to end by [nowS]. */
    fun end(nowS: Double) {
        if (nowS >= endS) endNow(endS)
    }

    /** Counts the repetition that is about to end, if there is one, as ending at [nowS]. */
    fun endNow(nowS: Double) {
        if (endS == Double.POSITIVE_INFINITY) return
        counted += checkNotNull(before).cycle.copy(endS = nowS)
        endS = Double.POSITIVE_INFINITY
    }

    private fun whileLow(last: Double, lastS: Double) {
        val threshold = threshold
        // At rest the signal wanders about its lowest value: the rise begins when it last was near it.
        if (value <= low + AT_REST * threshold) lowS = timeS
        low = min(low, value)
        if (endS < Double.POSITIVE_INFINITY) predictEnd(last, lastS)
        val half = low + threshold / 2
        if (last < half && half <= value) risenS = whenAt(half, last, lastS)
        if (value - low < threshold) return
        val before = before
        if (endS < Double.POSITIVE_INFINITY && before != null) {
            if (timeS - fallenS < SHORTEST_LOW * min(fallenS - before.risenS, usual.highS)) {
                resume(before)
                return
            }
            endNow(timeS)
        }
        isHigh = true
        peak = value
        peakS = timeS
        fallsS = timeS
    }

    /** Continues a repetition after a dip that is too short to end it. */
    private fun resume(before: Before) {
        low = before.cycle.low
        lowS = before.cycle.startS
        peak = max(before.cycle.top, value)
        peakS = if (before.cycle.top > value) before.cycle.topS else timeS
        risenS = before.risenS
        usual.rise = before.usualRise
        usual.highS = before.usualHighS
        isHigh = true
        fallsS = timeS
        endS = Double.POSITIVE_INFINITY
    }

    private fun whileHigh(last: Double, lastS: Double) {
        if (value > peak) {
            peak = value
            peakS = timeS
        }
        var rise = peak - low
        // Raising the hands to the start of a press is a large rise before the first repetition.
        if (usual.rise > 0) rise = min(rise, max(LARGEST_RISE * usual.rise, threshold))
        val begins = peak - FALL_BEGINS * rise
        val fallen = peak - movement.fall * rise
        if (last > begins && begins >= value) fallsS = whenAt(begins, last, lastS)
        if (value > fallen) return
        fallenS = if (last > fallen) whenAt(fallen, last, lastS) else timeS
        val highS = fallenS - risenS
        isHigh = false
        if (highS >= SHORTEST_HIGH * movement.fastestS) {
            before = Before(Cycle(lowS, peakS, Double.POSITIVE_INFINITY, low, peak), risenS, usual.rise, usual.highS)
            endS = max(fallenS + REST_OF_HIGH * highS, timeS)
            nearlyLow = peak - movement.settled * rise
            predictEnd(last, lastS)
            usual.rise = towards(usual.rise, rise)
            usual.highS = towards(usual.highS, highS)
        }
        low = value
        lowS = timeS
    }

    /** Predicts the end of the repetition once the signal has nearly returned. */
    private fun predictEnd(last: Double, lastS: Double) {
        if (value > nearlyLow || nearlyLow == Double.POSITIVE_INFINITY) return
        val before = checkNotNull(before)
        val nearlyS = if (last > nearlyLow) whenAt(nearlyLow, last, lastS) else timeS
        val (part, seconds) = movement.finish
        var highS = fallenS - before.risenS
        if (before.usualHighS > 0) highS = min(highS, LONGEST_HIGH * before.usualHighS)
        endS = max(nearlyS + FALL_GOES_ON * (nearlyS - fallsS) + part * highS + seconds, timeS)
        nearlyLow = Double.POSITIVE_INFINITY
    }

    /** Time at which the signal crossed a level, by linear interpolation from the previous value. */
    private fun whenAt(level: Double, last: Double, lastS: Double) =
        lastS + (level - last) / (value - last) * (timeS - lastS)

    private fun towards(usual: Double, new: Double) = if (usual != 0.0) usual + LEARNING * (new - usual) else new

    // The same values as in skelgnn_tf.motion.cycles, which explains them; a test compares those with a name there.
    internal companion object {
        const val SMOOTHING = 0.06
        const val LEARNING = 0.3
        const val FALL_GOES_ON = 0.5
        const val LONGEST_HIGH = 1.5
        const val REST_OF_HIGH = 0.5
        const val SHORTEST_HIGH = 0.3
        const val SHORTEST_LOW = 0.25
        private const val GOING_BACK = 0.15
        private const val LARGEST_RISE = 1.3
        private const val FALL_BEGINS = 0.3
        private const val AT_REST = 0.1
    }
}
