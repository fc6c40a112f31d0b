package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals

class CuesTest {
    private val limbs = listOf("left", "right").flatMap { side ->
        listOf("hip", "knee", "ankle", "shoulder", "elbow", "wrist").map { "${side}_$it" }
    }
    private val skeleton = Skeleton("limbs", listOf("nose") + limbs, listOf(-1) + limbs.map { 0 })
    private val cues = Cues(skeleton)

    private fun without(vararg hidden: String) =
        DoubleArray(3 * skeleton.joints.size) { if (skeleton.joints[it / 3] in hidden) Double.NaN else it.toDouble() }

    private fun of(exercise: String?, vararg hidden: String) = cues.of(without(*hidden), Repetitions(3, exercise, 0.0))

    @Test
    fun `hidden parts are reported if the exercise needs them`() {
        assertEquals(listOf<Cue>(Cue.NotVisible(listOf("feet"))), of("squat", "left_ankle", "right_ankle"))
        assertEquals(emptyList(), of("biceps_curl", "left_ankle", "right_ankle"))
        assertEquals(listOf<Cue>(Cue.NotVisible(listOf("left hand"))), of("biceps_curl", "left_wrist"))
        assertEquals(emptyList(), of("squat", "left_wrist", "nose"))
    }

    @Test
    fun `before an exercise is known, every hidden part is reported`() {
        val parts = listOf("head", "left hand", "left hip", "left leg")
        assertEquals(listOf<Cue>(Cue.NotVisible(parts)), of(null, "nose", "left_wrist", "left_hip", "left_knee"))
        assertEquals(emptyList(), of(null))
    }

    @Test
    fun `an exercise without repetitions needs no joints`() =
        assertEquals(emptyList(), of("plank", *limbs.toTypedArray()))

    @Test
    fun `the target is reached with the last repetition`() {
        fun at(target: Int?) = cues.of(without(), Repetitions(3, "squat", 0.0), target)
        assertEquals(emptyList(), at(null))
        assertEquals(emptyList(), at(4))
        assertEquals(listOf<Cue>(Cue.TargetReached), at(3))
        assertEquals(listOf<Cue>(Cue.TargetReached), at(2))
    }

    @Test
    fun `a signal that lacks one of its joints is not a number`() {
        val signals = ExerciseSignals(skeleton)
        for ((exercise, joints) in signals.joints) {
            for (name in skeleton.joints) {
                assertEquals(name in joints, signals.of(without(name)).getValue(exercise).isNaN(), "$exercise $name")
            }
        }
    }
}
