package org.skelgnn.core

import kotlin.math.max

/**
 * State of a [RepetitionCounter] after a frame.
 *
 * @property count Number of completed repetitions of the exercise.
 * @property exercise Name of the exercise; null before the first decision of the action model.
 * @property phase Progress within the repetition, 0..1: 0 between repetitions, 0.5 in the middle.
 */
data class Repetitions(val count: Int, val exercise: String?, val phase: Double)

/**
 * Counts the repetitions of a given exercise, or of the exercise that an action model recognizes. Mirrors
 * `skelgnn_tf.motion.RepetitionCounter`.
 *
 * All exercises are counted from the start, each from its own signal, so that repetitions made before the exercise is
 * recognized are included. Plank, rest and classes without a signal have a count of 0. The count of an exercise
 * continues when the person resumes it after a rest.
 */
class RepetitionCounter private constructor(skeleton: Skeleton, private val exercise: String?, classes: List<String>) {
    /** Counts the exercise that an action model recognizes. @param classes Classes of the model's contract. */
    constructor(skeleton: Skeleton, classes: List<String>) : this(skeleton, null, classes)

    /** Counts one exercise without recognition. @param exercise One of [EXERCISES]. */
    constructor(skeleton: Skeleton, exercise: String) : this(skeleton, exercise, listOf(exercise)) {
        require(exercise in MOVEMENTS) {
            "exercise must be one of ${EXERCISES.joinToString()}. Received: $exercise."
        }
    }

    private val signals = ExerciseSignals(skeleton)
    private val decoder = ActionDecoder(classes)
    private val cycles = classes.filter { it in MOVEMENTS }.associateWith { CycleCounter(MOVEMENTS.getValue(it)) }

    // For each exercise: repetitions in earlier sets, and the start of the current set.
    private val earlier = cycles.mapValues { 0 }.toMutableMap()
    private val beginsS = cycles.mapValues { Double.NEGATIVE_INFINITY }.toMutableMap()
    private var now = exercise
    private var isUnderWay = false
    private var timeS = Double.NEGATIVE_INFINITY

    /**
     * Adds a frame.
     *
     * @param jointsM joints x 3, in the skeleton's order, in meters. Pass unfiltered poses, because the counter smooths
     *   its signals; NaN if no person is visible.
     * @param nowS Time of the frame in seconds, later than the previous one.
     * @param probabilities Output of the action model if there is a new one for this frame, otherwise null.
     * @return The exercise, its count and its phase.
     */
    fun push(jointsM: DoubleArray, nowS: Double, probabilities: FloatArray? = null): Repetitions {
        require(nowS > timeS) {
            "nowS must be later than the previous $timeS s. Received: $nowS s. Use the camera's timestamps."
        }
        timeS = nowS
        val values = signals.of(jointsM)
        cycles.forEach { (name, cycle) -> cycle.push(values.getValue(name), nowS) }
        if (exercise == null && probabilities != null) decide(probabilities, nowS)
        val name = now ?: return Repetitions(0, null, 0.0)
        return Repetitions(count(name, Double.POSITIVE_INFINITY), name, cycles[name]?.phase ?: 0.0)
    }

    /** Updates the exercise; one that is under way is left only for another that shows repetitions of its own. */
    private fun decide(probabilities: FloatArray, nowS: Double) {
        val before = now
        val next = decoder.push(probabilities, nowS) ?: return
        if (before != null && count(before, Double.POSITIVE_INFINITY) > 0) {
            isUnderWay = isUnderWay || decoder.confidence(before) >= UNDER_WAY
        }
        val changeS = decoder.beginsS(next)
        // Start early: counting a transition movement is better than missing the first repetition.
        val fromS = changeS - ActionDecoder.LAG_S
        if (next == before || (isUnderWay && countSince(next, fromS) < REPETITIONS_TO_SWITCH)) return
        now = next
        isUnderWay = false
        if (before != null && before in cycles) {
            earlier[before] = count(before, changeS)
            beginsS[before] = max(beginsS.getValue(before), changeS)
        }
        if (next in cycles) beginsS[next] = max(beginsS.getValue(next), fromS)
    }

    /** Number of repetitions of an exercise that ended after [sinceS]. */
    private fun countSince(name: String, sinceS: Double): Int = cycles[name]?.endsS.orEmpty().count { it > sinceS }

    /** Number of repetitions of an exercise in earlier sets and in the current one until [untilS]. */
    private fun count(name: String, untilS: Double): Int {
        val cycle = cycles[name] ?: return 0
        val fromS = beginsS.getValue(name)
        return earlier.getValue(name) + cycle.endsS.count { fromS < it && it <= untilS }
    }

    companion object {
        /** Exercises whose repetitions can be counted. */
        val EXERCISES: Set<String> get() = MOVEMENTS.keys

        // An exercise with repetitions is under way once its confidence reaches UNDER_WAY. It then stays selected until
        // another exercise has REPETITIONS_TO_SWITCH.
        private const val UNDER_WAY = 0.4
        private const val REPETITIONS_TO_SWITCH = 2
    }
}
