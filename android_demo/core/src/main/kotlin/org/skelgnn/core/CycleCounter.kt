package org.skelgnn.core

import kotlin.math.min
import kotlin.math.roundToInt

/**
 * One rise and fall of a signal.
 *
 * @property startS When the signal begins to rise, in seconds.
 * @property topS When it is highest.
 * @property endS When the repetition ends.
 * @property low Value of the signal before it rises.
 * @property top Its highest value.
 */
data class Cycle(val startS: Double, val topS: Double, val endS: Double, val low: Double, val top: Double) {
    /** How far the signal rises. */
    val rise: Double get() = top - low

    /** First and last time of the third around the highest value. */
    internal val middleS: ClosedFloatingPointRange<Double>
        get() = topS - (topS - startS) / 3..topS + (endS - topS) / 3
}

/**
 * Counts how often a signal rises and returns. Mirrors `skelgnn_tf.motion.CycleCounter`.
 *
 * A repetition is a rise by at least the movement's `least`, or by its `share` of the person's usual rise, followed by
 * a fall by the fraction `fall` of that rise. It ends when the signal is at rest or rises again. The end is predicted
 * from the durations of the rise and the fall, so that a repetition is counted neither during the return movement nor
 * late.
 *
 * @property movement How the signal repeats: of a signal of your own, for example `Movement(20.0, 1.0)` for one in
 *   degrees with repetitions of a second or more.
 */
class CycleCounter(private val movement: Movement) {
    private val counted = mutableListOf<Cycle>()
    private val usual = Usual()
    private var stretch: SignalStretch? = null

    /** The counted repetitions. */
    val cycles: List<Cycle> get() = counted

    /** Progress within the repetition, 0..1; 0 at rest. */
    val phase: Double get() = stretch?.phase ?: 0.0

    /** Adds a value of the signal, NaN if it is missing, and returns how many repetitions have ended. */
    fun push(value: Double, nowS: Double): Int {
        val now = stretch
        now?.end(nowS)
        if (!value.isFinite()) return counted.size
        if (now == null || nowS - now.timeS > GAP_S + ROUNDING_S) {
            // Nothing can be concluded across a long gap.
            now?.endNow(now.timeS)
            stretch = SignalStretch(movement, usual, counted, value, nowS)
        } else {
            now.push(value, nowS)
        }
        return counted.size
    }

    /** Ends the recording: a repetition counts if the last value, held for a second, ends it. Returns the count. */
    fun finish(): Int {
        val now = stretch ?: return counted.size
        val known = counted.size
        val lastS = now.timeS
        val held = now.raw
        for (step in 1..(HELD_S / HELD_STEP_S).roundToInt()) push(held, lastS + step * HELD_STEP_S)
        now.endNow(lastS)
        for (i in known..<counted.size) counted[i] = counted[i].copy(endS = min(counted[i].endS, lastS))
        return counted.size
    }

    /** Returns the counted repetitions and removes them from [cycles]. */
    internal fun take(): List<Cycle> = counted.toList().also { counted.clear() }

    // The same values as in skelgnn_tf.motion.cycles, which explains them; a test compares them.
    internal companion object {
        const val HELD_S = 1.0
        const val HELD_STEP_S = 1.0 / 30
        private const val ROUNDING_S = 1e-6
    }
}

/** How far the signal of a person usually rises, and for how long it is high; 0 before the first repetition. */
internal class Usual(var rise: Double = 0.0, var highS: Double = 0.0)
