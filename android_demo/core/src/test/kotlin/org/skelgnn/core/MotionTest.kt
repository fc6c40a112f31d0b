package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** Compares the filter, the angles and the counter with `skelgnn_tf.motion`. */
class MotionTest {
    private val golden by lazy { fromPython("motion.json") }
    private val skeleton by lazy {
        golden["skeleton"].let { Skeleton(it["name"].string, it["joints"].strings, it["parents"].ints) }
    }

    /** Numbers from Python, which writes -1e9 for NaN. */
    private fun Json.numbers() = doubles().map { if (it < -1e8) Double.NaN else it }

    private fun poses(json: Json) = json["pose_m"].items.map { it.numbers().toDoubleArray() }

    private val clips get() = golden["clips"].items

    @Test
    fun `the filter equals Python's, including gaps`() {
        for (clip in clips) {
            val filter = OneEuroFilter()
            val filtered = poses(clip).zip(clip["times_s"].doubles()) { pose, timeS -> filter.push(pose, timeS) }
            // Python writes every fourth joint.
            val given = filtered.flatMap { it.toList().chunked(3).filterIndexed { i, _ -> i % 4 == 0 }.flatten() }
            assertClose(clip["filtered"].numbers(), given, clip["exercise"].string)
        }
    }

    @Test
    fun `angles equal Python's`() {
        val angles = JointAngles(skeleton)
        for (clip in clips) {
            val given = poses(clip).map { angles.of(it) }
            assertEquals(clip["angles"].fields.keys, given.first().keys)
            clip["angles"].fields.forEach { (name, expected) ->
                assertClose(expected.numbers(), given.map { it.getValue(name) }, "${clip["exercise"].string} $name")
            }
        }
    }

    @Test
    fun `signals and movements equal Python's`() {
        val movements = MOVEMENTS.mapValues { (_, it) ->
            listOf(it.least, it.fastestS, it.share, it.fall, it.settled) + it.finish.toList()
        }
        assertEquals(golden["movements"].fields.mapValues { (_, it) -> it.doubles() }, movements)
        val signals = ExerciseSignals(skeleton)
        for (clip in clips) {
            val given = poses(clip).map { signals.of(it) }
            clip["signals"].fields.forEach { (name, expected) ->
                assertClose(expected.numbers(), given.map { it.getValue(name) }, "${clip["exercise"].string} $name")
            }
        }
    }

    @Test
    fun `counts of a given exercise equal Python's`() {
        for (clip in clips) {
            val name = clip["exercise"].string
            val counter = RepetitionCounter(skeleton, name)
            val given = poses(clip).zip(clip["times_s"].doubles()) { pose, timeS -> counter.push(pose, timeS) }
            assertEquals(clip["count"].ints, given.map { it.count }, name)
            assertClose(clip["phase"].doubles(), given.map { it.phase }, "$name phase")
        }
    }

    @Test
    fun `counts of irregular signals equal Python's`() {
        for (case in golden["rough"].items) {
            val name = case["exercise"].string
            val counter = CycleCounter(MOVEMENTS.getValue(name))
            val given = case["values"].numbers().zip(case["times_s"].doubles()) { value, timeS ->
                counter.push(value, timeS)
                counter.endsS.size to counter.phase
            }
            assertEquals(case["count"].ints, given.map { it.first }, name)
            assertClose(case["phase"].doubles(), given.map { it.second }, "$name phase")
            assertClose(case["ends_s"].doubles(), counter.endsS, "$name ends")
        }
    }

    @Test
    fun `counts of recognized exercises equal Python's`() {
        for (set in golden["sets"].items) {
            val counter = RepetitionCounter(skeleton, golden["classes"].strings)
            val decisions = set["probabilities"].items.map { it.flatten() }
            val hop = set["hop"].int
            val times = set["times_s"].doubles()
            val given = poses(set).mapIndexed { i, pose ->
                counter.push(pose, times[i], if (i % hop == hop - 1) decisions[i / hop] else null)
            }
            assertEquals(set["exercise"].strings, given.map { it.exercise.orEmpty() })
            assertEquals(set["count"].ints, given.map { it.count })
            assertClose(set["phase"].doubles(), given.map { it.phase }, "phase")
        }
    }

    @Test
    fun `repeated times, unknown joints and unknown exercises raise an error`() {
        val filter = OneEuroFilter()
        filter.push(doubleArrayOf(1.0), 1.0)
        assertFailsWith<IllegalArgumentException> { filter.push(doubleArrayOf(1.0), 1.0) }
        assertFailsWith<IllegalArgumentException> { filter.push(doubleArrayOf(1.0, 2.0), 2.0) }
        assertFailsWith<IllegalArgumentException> { OneEuroFilter(minCutoffHz = 0.0) }
        assertFailsWith<IllegalArgumentException> { JointAngles(Skeleton("dot", listOf("nose"), listOf(-1))) }
        assertFailsWith<IllegalArgumentException> { RepetitionCounter(skeleton, "chess") }
        val counter = RepetitionCounter(skeleton, "squat")
        counter.push(DoubleArray(3 * skeleton.joints.size), 1.0)
        assertFailsWith<IllegalArgumentException> { counter.push(DoubleArray(3 * skeleton.joints.size), 1.0) }
    }
}
