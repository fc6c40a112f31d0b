package org.skelgnn.core

/** Counts the cycles of several exercises in which the body had their posture. */
internal class PosedCycles(exercises: List<String>) {
    private val counters = exercises.associateWith { CycleCounter(MOVEMENTS.getValue(it)) }
    private val found = exercises.associateWith { mutableListOf<Cycle>() }

    // Postures of the last frames by their time.
    private val recent = ArrayDeque<Pair<Double, Map<String, Boolean>>>()

    operator fun contains(exercise: String?): Boolean = exercise in found

    /** Progress within the repetition of an exercise, 0..1. */
    fun phase(exercise: String): Double = counters.getValue(exercise).phase

    /** Adds a frame and returns the exercises of which a cycle has ended. */
    fun push(state: ExerciseState, nowS: Double): List<String> {
        recent += nowS to state.postures
        while (recent.first().first < nowS - LONGEST_S) recent.removeFirst()
        counters.forEach { (name, counter) -> counter.push(state.signals.getValue(name), nowS) }
        return ended()
    }

    /** Ends the recording and returns the exercises of which a cycle has ended. */
    fun finish(): List<String> {
        counters.values.forEach { it.finish() }
        return ended()
    }

    /** Removes the last cycle of an exercise. */
    fun dropLast(exercise: String) {
        found.getValue(exercise).removeAt(found.getValue(exercise).lastIndex)
    }

    /** The cycles of an exercise whose highest point lies in a span of time. */
    fun within(exercise: String, spanS: ClosedFloatingPointRange<Double>): List<Cycle> =
        found[exercise].orEmpty().filter { it.topS in spanS }

    private fun ended(): List<String> = counters.mapNotNull { (name, counter) ->
        val new = counter.take().filter { isPosed(name, it) }
        found.getValue(name) += new
        name.takeIf { new.isNotEmpty() }
    }

    /** Whether the body has the posture of an exercise in the middle of a cycle. */
    private fun isPosed(exercise: String, cycle: Cycle): Boolean {
        val firstS = cycle.topS - (cycle.topS - cycle.startS) / 3 - ROUNDING_S
        val lastS = cycle.topS + (cycle.endS - cycle.topS) / 3 + ROUNDING_S
        val posed = recent.filter { (timeS, _) -> timeS in firstS..lastS }.map { (_, now) -> now.getValue(exercise) }
        return posed.isNotEmpty() && posed.count { it } >= POSED * posed.size
    }

    // The same values as in skelgnn_tf.motion.repetitions, which explains them; a test compares them.
    internal companion object {
        const val LONGEST_S = 30.0
        const val POSED = 0.5
        private const val ROUNDING_S = 1e-6
    }
}
