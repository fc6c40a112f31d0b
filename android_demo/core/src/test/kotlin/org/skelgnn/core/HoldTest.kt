package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** Tests how a counter finds the time in which a position is held. */
class HoldTest {
    private val limbs = listOf("hip", "knee", "ankle", "shoulder", "elbow", "wrist").flatMap { joint ->
        listOf("left", "right").map { "${it}_$joint" }
    }
    private val skeleton = Skeleton("limbs", listOf("head") + limbs, listOf(-1) + limbs.map { 0 })
    private val still = DoubleArray(3 * skeleton.joints.size)
    private val classes = listOf("plank", "rest")

    @Test
    fun `a position is held from its first signs to the last frame, until another class is certain`() {
        val counter = RepetitionCounter(skeleton, classes)
        fun held(plank: Float, timesS: IntRange) = timesS.map { second ->
            counter.push(still, second.toDouble(), floatArrayOf(plank, 1 - plank))
            counter.held
        }
        assertEquals(listOf<Repetition?>(null), held(0.01f, 0..20).distinct())
        val planks = held(0.99f, 21..80)
        // The first decision that shows signs of it is about two seconds late.
        val startS = checkNotNull(planks.last()).startS
        assertTrue(startS in 18.0..20.0, "$startS")
        assertEquals(Repetition("plank", startS, startS, 80.0, isComplete = true), planks.last())
        assertEquals(null, held(0.01f, 81..120).last())
        assertEquals(emptyList(), counter.repetitions)
    }

    @Test
    fun `a position that the recording begins with is held from its first frame`() {
        val counter = RepetitionCounter(skeleton, classes)
        for (second in 7..30) {
            counter.push(still, second.toDouble(), floatArrayOf(0.99f, 0.01f))
        }
        assertEquals(7.0, counter.held?.startS)
    }
}
