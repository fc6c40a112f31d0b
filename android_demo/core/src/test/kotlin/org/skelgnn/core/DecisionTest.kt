package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** Compares beliefs with `skelgnn_tf.motion.exercise_decision`, and tests the rules about single decisions. */
class DecisionTest {
    private val classes = listOf("squat", "rest", "other")

    @Test
    fun `beliefs equal Python's`() {
        val golden = fromPython("motion.json")
        val case = golden["beliefs"]
        val belief = ExerciseBelief(golden["classes"].strings.size)
        val given = case["probabilities"].items.map { it.flatten() }.zip(case["times_s"].doubles(), belief::push)
        assertClose(case["beliefs"].doubles(), given.flatMap { it.toList() }, "beliefs")
    }

    @Test
    fun `excluded classes have no probability, unless no other class is possible`() {
        val probabilities = doubleArrayOf(0.5, 0.4, 0.1)
        fun excluding(vararg excluded: Boolean) =
            ExerciseDecision.excluding(probabilities, excluded.toList()).toList()
        assertClose(listOf(0.0, 0.8, 0.2), excluding(true, false, false), "one excluded")
        assertClose(listOf(0.0, 0.0, 1.0), excluding(true, true, false), "two excluded")
        assertEquals(probabilities.toList(), excluding(true, true, true))
        assertEquals(probabilities.toList(), excluding(false, false, false))
    }

    @Test
    fun `other motion is less likely than the model says, by the odds of the prior`() {
        val (squat, rest, other) = ExerciseDecision.withPrior(floatArrayOf(0.25f, 0.25f, 0.5f), classes)
        assertEquals(squat, rest)
        assertClose(listOf(2 * ExerciseDecision.OTHER_PRIOR, 1.0), listOf(other / rest, squat + rest + other), "prior")
    }

    @Test
    fun `a person is idle if rest and other motion together rule out the exercise`() {
        fun isIdle(squat: Double, exercise: String = "squat") =
            ExerciseDecision.isIdle(doubleArrayOf(squat, (1 - squat) / 2, (1 - squat) / 2), classes, exercise)
        assertTrue(isIdle(0.9 / (1 + ExerciseDecision.IDLE_ODDS)))
        assertFalse(isIdle(1.1 / (1 + ExerciseDecision.IDLE_ODDS)))
        // Nothing is known about an exercise that is not a class of the model.
        assertFalse(isIdle(0.0, "lunge"))
    }

    @Test
    fun `a wrong number of probabilities raises an error`() {
        assertFailsWith<IllegalArgumentException> { ExerciseBelief(2).push(floatArrayOf(1f), 0.0) }
        assertFailsWith<IllegalArgumentException> { ExerciseDecision.withPrior(floatArrayOf(1f), classes) }
        assertFailsWith<IllegalArgumentException> { ExerciseDecision.withPrior(FloatArray(4) { 0.25f }, classes) }
    }
}
