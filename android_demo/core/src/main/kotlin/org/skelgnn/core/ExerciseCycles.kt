package org.skelgnn.core

/** A time in which an exercise is done, in seconds. */
internal data class Span(val exercise: String, val timeS: ClosedFloatingPointRange<Double>)

/**
 * Counts the cycles of several exercises and separates the plausible ones from those that speak against the exercise.
 * Mirrors `skelgnn_tf.motion.exercise_cycles`.
 *
 * @param exercises Names in [MOVEMENTS].
 */
internal class ExerciseCycles(exercises: List<String>) {
    /** The counter of each exercise. */
    val counters = exercises.associateWith { CycleCounter(MOVEMENTS.getValue(it)) }

    /** The plausible cycles of each exercise so far. */
    val cycles = exercises.associateWith { mutableListOf<Cycle>() }

    /** The other cycles of each exercise. */
    val doubtful = exercises.associateWith { mutableListOf<Cycle>() }

    private val recent = ArrayDeque<MeasuredFrame>()

    operator fun contains(exercise: String?): Boolean = exercise in cycles

    /** Adds a frame and returns the exercises of which a plausible cycle has ended, once for each cycle. */
    fun push(state: ExerciseState, nowS: Double): List<String> {
        recent += MeasuredFrame(nowS, state.measures)
        counters.forEach { (name, counter) -> counter.push(state.signals.getValue(name), nowS) }
        val ended = ended()
        // Afterwards, because a cycle may end long after its last frame, when the person comes back.
        while (recent.first().timeS < nowS - LONGEST_S) recent.removeFirst()
        return ended
    }

    /** Ends the recording and returns the exercises of which a plausible cycle has ended, once for each cycle. */
    fun finish(): List<String> {
        counters.values.forEach { it.finish() }
        return ended()
    }

    /** The plausible cycles of a span's exercise whose highest point lies in it. */
    fun within(span: Span): List<Cycle> = cycles[span.exercise].orEmpty().filter { it.topS in span.timeS }

    private fun ended(): List<String> = counters.flatMap { (name, counter) ->
        val (plausible, others) = counter.take().partition { isPlausible(name, it) }
        cycles.getValue(name) += plausible
        doubtful.getValue(name) += others
        plausible.map { name }
    }

    private fun isPlausible(exercise: String, cycle: Cycle): Boolean {
        val during = recent.filter { it.timeS in cycle.startS - ROUNDING_S..cycle.endS + ROUNDING_S }
        return Plausibility.isPlausible(exercise, during, cycle.middleS)
    }

    // The same values as in skelgnn_tf.motion.exercise_cycles, which explains them; a test compares them.
    internal companion object {
        const val LONGEST_S = 30.0
        const val ALIKE_RISE = 0.4
        private const val ROUNDING_S = 1e-6
    }
}

/** Returns cycles as repetitions; those that rise much less than the others are partial. */
internal fun repetitionsOf(exercise: String, cycles: List<Cycle>): List<Repetition> {
    val rises = cycles.map { it.rise }.sorted()
    val least = if (rises.isEmpty()) 0.0 else ExerciseCycles.ALIKE_RISE * rises.quantile(0.5)
    return cycles.map { Repetition(exercise, it.startS, it.topS, it.endS, it.rise >= least) }
}
