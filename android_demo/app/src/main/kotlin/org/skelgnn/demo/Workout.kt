package org.skelgnn.demo

/**
 * What the user has chosen to do.
 *
 * @property exercise Exercise to count; null to count the recognized one.
 * @property target Intended number of repetitions; null for none.
 * @property round Number of times that counting has restarted.
 */
data class Workout(val exercise: String? = null, val target: Int? = null, val round: Int = 0) {
    /** Returns the workout with another exercise; counting restarts. */
    fun withExercise(exercise: String?) = restarted().copy(exercise = exercise)

    /** Returns the workout with the count at 0. */
    fun restarted() = copy(round = round + 1)
}
