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

    private fun unseen(vararg parts: String) = listOf<Cue>(Cue.NotVisible(parts.toList()))

    private fun both(joint: String) = arrayOf("left_$joint", "right_$joint")

    @Test
    fun `hidden parts are reported if the exercise needs them`() {
        assertEquals(unseen("legs"), of("squat", *both("ankle"), *both("knee")))
        assertEquals(emptyList(), of("squat", *both("ankle"), *both("wrist"), "nose"))
        assertEquals(unseen("hands"), of("biceps_curl", *both("wrist"), *both("ankle")))
    }

    @Test
    fun `one seen side is enough`() {
        assertEquals(emptyList(), of("squat", "left_hip", "left_knee", "left_ankle"))
        assertEquals(emptyList(), of("biceps_curl", "left_wrist"))
        assertEquals(unseen("arms"), of("biceps_curl", "left_wrist", *both("elbow")))
    }

    @Test
    fun `while the exercise is unknown, every part that any exercise needs is reported`() {
        assertEquals(unseen("hands", "hips"), of(null, "nose", *both("wrist"), *both("hip"), "left_knee"))
        assertEquals(emptyList(), of(null, "nose", "left_wrist"))
        assertEquals(emptyList(), of(null))
    }

    @Test
    fun `a rest needs no joints, and a plank its own`() {
        assertEquals(emptyList(), of("rest", *limbs.toTypedArray()))
        assertEquals(unseen("shoulders"), of("plank", *both("shoulder")))
    }

    @Test
    fun `the target is reached with the last repetition`() {
        fun at(target: Int?) = cues.of(without(), Repetitions(3, "squat", 0.0), target)
        assertEquals(emptyList(), at(null))
        assertEquals(emptyList(), at(4))
        assertEquals(listOf<Cue>(Cue.TargetReached), at(3))
        assertEquals(listOf<Cue>(Cue.TargetReached), at(2))
    }
}
