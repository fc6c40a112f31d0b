package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** Compares the filter and the angles with `skelgnn_tf.motion`. */
class MotionTest {
    private val golden by lazy { fromPython("motion.json") }
    private val skeleton by lazy { skeleton(golden["skeleton"]) }
    private val clips get() = golden["clips"].items

    @Test
    fun `the filter equals Python's, including gaps`() {
        for (clip in clips) {
            val filter = OneEuroFilter()
            val filtered = clip["pose_m"].poses().zip(clip["times_s"].doubles(), filter::push)
            // Python writes every fourth joint.
            val given = filtered.flatMap { it.toList().chunked(3).filterIndexed { i, _ -> i % 4 == 0 }.flatten() }
            assertClose(clip["filtered"].numbers(), given, clip["exercise"].string)
        }
    }

    @Test
    fun `angles equal Python's`() {
        val angles = JointAngles(skeleton)
        for (clip in clips) {
            val given = clip["pose_m"].poses().map { angles.of(it) }
            assertEquals(clip["angles"].fields.keys, given.first().keys)
            clip["angles"].fields.forEach { (name, expected) ->
                assertClose(expected.numbers(), given.map { it.getValue(name) }, "${clip["exercise"].string} $name")
            }
        }
    }

    @Test
    fun `repeated times, other sizes and unknown joints raise an error`() {
        val filter = OneEuroFilter()
        filter.push(doubleArrayOf(1.0), 1.0)
        assertFailsWith<IllegalArgumentException> { filter.push(doubleArrayOf(1.0), 1.0) }
        assertFailsWith<IllegalArgumentException> { filter.push(doubleArrayOf(1.0, 2.0), 2.0) }
        assertFailsWith<IllegalArgumentException> { OneEuroFilter(minCutoffHz = 0.0) }
        assertFailsWith<IllegalArgumentException> { JointAngles(Skeleton("dot", listOf("nose"), listOf(-1))) }
    }
}
