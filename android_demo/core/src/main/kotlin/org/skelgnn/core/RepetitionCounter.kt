package org.skelgnn.core

import kotlin.math.max

/**
 * What a counter knows after a frame.
 *
 * @property count Repetitions of the exercise that are finished.
 * @property exercise Its name; null before the first decision of a recogniser.
 * @property phase 0..1 within the repetition: 0 between repetitions, 0.5 in the middle.
 */
data class Repetitions(val count: Int, val exercise: String?, val phase: Double)

/**
 * Counts the repetitions of an exercise that is named, or of the one that a recogniser sees: the twin of
 * `skelgnn_tf/motion/repetitions.py`.
 *
 * All exercises are counted from the start, each by its own signal, so that what was done before the recogniser is sure
 * counts as soon as it is. Plank, rest and classes without a signal have the count 0. An exercise that is taken up
 * again after a rest is counted on.
 */
class RepetitionCounter private constructor(skeleton: Skeleton, private val exercise: String?, classes: List<String>) {
    /** Follows a recogniser. @param classes Of its probabilities. */
    constructor(skeleton: Skeleton, classes: List<String>) : this(skeleton, null, classes)

    /** Counts one exercise, whatever it looks like. @param exercise One of [EXERCISES]. */
    constructor(skeleton: Skeleton, exercise: String) : this(skeleton, exercise, listOf(exercise)) {
        require(exercise in MOVEMENTS) { "no counting of \"$exercise\"; there are ${EXERCISES.joinToString()}" }
    }

    private val signals = ExerciseSignals(skeleton)
    private val decoder = ActionDecoder(classes)
    private val cycles = classes.filter { it in MOVEMENTS }.associateWith { CycleCounter(MOVEMENTS.getValue(it)) }

    // Of each exercise: repetitions of earlier sets, and when the present set began.
    private val earlier = cycles.mapValues { 0 }.toMutableMap()
    private val beginsS = cycles.mapValues { Double.NEGATIVE_INFINITY }.toMutableMap()
    private var now = exercise
    private var isSure = false
    private var timeS = Double.NEGATIVE_INFINITY

    /**
     * Takes the next frame.
     *
     * @param jointsM joints x 3 of the skeleton in metres, unfiltered (the signals are smoothed here); NaN if nobody is
     *   seen.
     * @param nowS When it was seen, later than those before.
     * @param probabilities The recogniser's if it has just decided, else null.
     */
    fun push(jointsM: DoubleArray, nowS: Double, probabilities: FloatArray? = null): Repetitions {
        require(nowS > timeS) { "RepetitionCounter wants times that grow; got $nowS s after $timeS s" }
        timeS = nowS
        val values = signals.of(jointsM)
        cycles.forEach { (name, cycle) -> cycle.push(values.getValue(name), nowS) }
        if (exercise == null && probabilities != null) decide(probabilities, nowS)
        val name = now ?: return Repetitions(0, null, 0.0)
        return Repetitions(count(name, Double.POSITIVE_INFINITY), name, cycles[name]?.phase ?: 0.0)
    }

    /** Follows the recogniser; away from an exercise that is under way only to one that is being done, too. */
    private fun decide(probabilities: FloatArray, nowS: Double) {
        val before = now
        val next = decoder.push(probabilities, nowS) ?: return
        if (before != null && count(before, Double.POSITIVE_INFINITY) > 0) {
            isSure = isSure || decoder.sureness(before) >= SURE
        }
        val changeS = decoder.beginsS(next)
        // Rather a movement on the way to the exercise than its first repetition lost.
        val fromS = changeS - ActionDecoder.LAG_S
        if (next == before || (isSure && done(next, fromS) < DONE)) return
        now = next
        isSure = false
        if (before != null && before in cycles) {
            earlier[before] = count(before, changeS)
            beginsS[before] = max(beginsS.getValue(before), changeS)
        }
        if (next in cycles) beginsS[next] = max(beginsS.getValue(next), fromS)
    }

    /** Repetitions of an exercise that have ended since. */
    private fun done(name: String, sinceS: Double): Int = cycles[name]?.endsS.orEmpty().count { it > sinceS }

    /** Repetitions of an exercise: of its earlier sets, and those that have ended in this one. */
    private fun count(name: String, untilS: Double): Int {
        val cycle = cycles[name] ?: return 0
        val fromS = beginsS.getValue(name)
        return earlier.getValue(name) + cycle.endsS.count { fromS < it && it <= untilS }
    }

    companion object {
        /** What can be counted. */
        val EXERCISES: Set<String> get() = MOVEMENTS.keys

        // An exercise with repetitions whose sum of decisions has reached this part is under way: it stays until
        // another one has so many.
        private const val SURE = 0.4
        private const val DONE = 2
    }
}
