package org.skelgnn.core

/**
 * State of a [RepetitionCounter] after a frame.
 *
 * @property count Number of completed repetitions of the exercise.
 * @property exercise Name of the exercise; null until one is certain, and while too little of the body is seen.
 * @property phase Progress within the repetition, 0..1: 0 between repetitions, 0.5 in the middle.
 */
data class Repetitions(val count: Int, val exercise: String?, val phase: Double)

/**
 * A counted repetition.
 *
 * @property exercise Name of the exercise.
 * @property startS When it begins, in seconds.
 * @property topS When its signal is highest: the deepest point of a squat, the arms up in a press.
 * @property endS When it ends.
 * @property isComplete Whether it counts; false for a partial one, whose signal rises much less than in the others.
 */
data class Repetition(
    val exercise: String,
    val startS: Double,
    val topS: Double,
    val endS: Double,
    val isComplete: Boolean,
)
