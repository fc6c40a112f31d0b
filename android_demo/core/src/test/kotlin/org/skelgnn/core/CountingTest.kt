package org.skelgnn.core

import kotlin.math.PI
import kotlin.math.cos
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** Compares signals, measures, cycles and counts with `skelgnn_tf.motion`. */
class CountingTest {
    private val golden by lazy { fromPython("motion.json") }
    private val skeleton by lazy { skeleton(golden["skeleton"]) }

    @Test
    fun `movements, needed joints and constants equal Python's`() {
        val movements = MOVEMENTS.mapValues { (_, it) ->
            listOf(it.least, it.fastestS, it.share, it.fall, it.settled) + it.finish.toList()
        }
        assertEquals(golden["movements"].fields.mapValues { (_, it) -> it.doubles() }, movements)
        for ((name, pairs) in golden["needed_joints"].fields) {
            assertEquals(pairs.items.map { it.strings }, neededJoints(name).map { it.toList() }, name)
        }
        assertEquals(golden["idle_classes"].strings, ExerciseDecision.IDLE)
        val modules = golden["constants"].fields.mapValues { it.value.fields }
        for ((module, expected) in modules) {
            expected.forEach { (name, value) -> assertEquals(value.double, constants[name], "$name of $module") }
        }
        assertEquals(modules.values.flatMap { it.keys }.toSet(), constants.keys)
    }

    @Test
    fun `signals, measures and seen parts of the body equal Python's, whatever is hidden`() {
        val signals = ExerciseSignals(skeleton)
        val seenEnough = SeenEnough(skeleton)
        for (clip in golden["clips"].items + golden["hidden"].items) {
            val poses = clip["pose_m"].poses()
            val states = poses.map { signals.of(it) }
            for ((name, expected) in clip["state"]["signals"].fields) {
                assertClose(expected.numbers(), states.map { it.signals.getValue(name) }, name)
            }
            assertEquals(clip["state"]["measures"].fields.keys, MEASURES.keys)
            for ((name, expected) in clip["state"]["measures"].fields) {
                assertClose(expected.numbers(), states.map { it.measures.getValue(name) }, name)
            }
            for ((name, expected) in clip.find("seen_enough")?.fields.orEmpty()) {
                assertEquals(expected.ints, poses.map { if (seenEnough.of(it).getValue(name)) 1 else 0 }, name)
            }
        }
    }

    @Test
    fun `cycles of irregular signals equal Python's, live and when the recording ends`() {
        for (case in golden["rough"].items) {
            val name = case["exercise"].string
            val counter = CycleCounter(MOVEMENTS.getValue(name))
            val frames = case["values"].numbers().zip(case["times_s"].doubles())
            val given = frames.map { (value, timeS) -> counter.push(value, timeS) to counter.phase }
            assertEquals(case["count"].ints, given.map { it.first }, name)
            assertClose(case["phase"].doubles(), given.map { it.second }, "$name phase")
            assertClose(case["cycles"].doubles(), counter.cycles.flatMap(::numbers), "$name cycles")
            case["finished"].items.forEachIndexed { i, expected ->
                val recording = CycleCounter(MOVEMENTS.getValue(name))
                frames.take(25 * (i + 1)).forEach { (value, timeS) -> recording.push(value, timeS) }
                assertEquals(expected.items.size, recording.finish(), "$name, recording $i")
                assertClose(expected.doubles(), recording.cycles.flatMap(::numbers), "$name, recording $i")
            }
        }
    }

    @Test
    fun `counts of a given exercise equal Python's`() {
        for (clip in golden["clips"].items) {
            val name = clip["exercise"].string
            check(clip["counter"], RepetitionCounter(skeleton, name), name) { counter ->
                clip["pose_m"].poses().zip(clip["times_s"].doubles()) { pose, timeS -> counter.push(pose, timeS) }
            }
        }
    }

    @Test
    fun `counts of recognized exercises equal Python's, and those of a given exercise with an action model`() {
        val classes = golden["classes"].strings
        for (set in golden["sets"].items) {
            val decisions = set["probabilities"].items.map { it.flatten() }
            val hop = set["hop"].int
            val poses = set["pose_m"].poses().zip(set["times_s"].doubles())
            val frames = { counter: RepetitionCounter ->
                poses.mapIndexed { i, (pose, timeS) ->
                    counter.push(pose, timeS, if (i % hop == hop - 1) decisions[i / hop] else null)
                }
            }
            check(set["recognized"], RepetitionCounter(skeleton, classes), "recognized", frames)
            val given = set["given"].string
            check(set["counted"], RepetitionCounter(skeleton, classes, given), given, frames)
        }
    }

    private fun check(
        expected: Json,
        counter: RepetitionCounter,
        what: String,
        frames: (RepetitionCounter) -> List<Repetitions>,
    ) {
        val given = frames(counter)
        assertEquals(expected["exercise"].strings, given.map { it.exercise.orEmpty() }, what)
        assertEquals(expected["count"].ints, given.map { it.count }, what)
        assertClose(expected["phase"].doubles(), given.map { it.phase }, "$what phase")
        assertSame(expected["repetitions"], counter.repetitions, what)
        val last = counter.finish()
        assertEquals(expected["finished"]["exercise"].string, last.exercise.orEmpty(), "$what, finished")
        assertEquals(expected["finished"]["count"].int, last.count, "$what, finished")
        assertSame(expected["finished"]["repetitions"], counter.repetitions, "$what, finished")
    }

    private fun assertSame(expected: Json, given: List<Repetition>, what: String) {
        assertEquals(expected.items.map { it["exercise"].string }, given.map { it.exercise }, what)
        val numbers = given.flatMap { listOf(it.startS, it.topS, it.endS, if (it.isComplete) 1.0 else 0.0) }
        assertClose(expected.items.flatMap { it["numbers"].doubles() }, numbers, "$what repetitions")
    }

    private fun numbers(cycle: Cycle) = listOf(cycle.startS, cycle.topS, cycle.endS, cycle.low, cycle.top)

    @Test
    fun `a signal of one's own is counted`() {
        val counter = CycleCounter(Movement(least = 20.0, fastestS = 1.0))
        for (frame in 0..<120) counter.push(45 - 45 * cos(PI * frame / 30), frame / 30.0)
        assertEquals(2, counter.finish())
        assertTrue(counter.cycles.all { it.rise in 80.0..90.0 })
    }

    @Test
    fun `unknown exercises, repeated times and a wrong number of probabilities raise an error`() {
        assertFailsWith<IllegalArgumentException> { RepetitionCounter(skeleton, "chess") }
        assertFailsWith<IllegalArgumentException> { RepetitionCounter(skeleton, listOf("squat"), "plank") }
        assertFailsWith<IllegalArgumentException> { RepetitionCounter(skeleton, emptyList()) }
        val counter = RepetitionCounter(skeleton, "squat")
        counter.push(DoubleArray(3 * skeleton.joints.size), 1.0)
        assertFailsWith<IllegalArgumentException> { counter.push(DoubleArray(3 * skeleton.joints.size), 1.0) }
        val recognized = RepetitionCounter(skeleton, listOf("squat", "rest"))
        assertFailsWith<IllegalArgumentException> {
            recognized.push(DoubleArray(3 * skeleton.joints.size), 1.0, floatArrayOf(1f))
        }
    }

    /** Constants by their names in Python. */
    private val constants = mapOf(
        "SMOOTHING" to SignalStretch.SMOOTHING,
        "LEARNING" to SignalStretch.LEARNING,
        "FALL_GOES_ON" to SignalStretch.FALL_GOES_ON,
        "LONGEST_HIGH" to SignalStretch.LONGEST_HIGH,
        "REST_OF_HIGH" to SignalStretch.REST_OF_HIGH,
        "SHORTEST_HIGH" to SignalStretch.SHORTEST_HIGH,
        "SHORTEST_LOW" to SignalStretch.SHORTEST_LOW,
        "LONGEST_GAP_S" to GAP_S,
        "HELD_S" to CycleCounter.HELD_S,
        "HELD_STEP_S" to CycleCounter.HELD_STEP_S,
        "STAYS_S" to ExerciseBelief.STAYS_S,
        "EVIDENCE_S" to ExerciseBelief.EVIDENCE_S,
        "LEAST" to ExerciseBelief.LEAST,
        "DECISION_LAG_S" to ExerciseDecision.DECISION_LAG_S,
        "SURE" to ExerciseDecision.SURE,
        "CLEAR" to ExerciseDecision.CLEAR,
        "BEYOND_S" to ExerciseDecision.BEYOND_S,
        "OTHER_PRIOR" to ExerciseDecision.OTHER_PRIOR,
        "IDLE_ODDS" to ExerciseDecision.IDLE_ODDS,
        "TINY" to ExerciseDecision.TINY,
        "OUTLIERS" to Plausibility.OUTLIERS,
        "LONGEST_S" to ExerciseCycles.LONGEST_S,
        "ALIKE_RISE" to ExerciseCycles.ALIKE_RISE,
        "FAINT" to RepetitionCounter.FAINT,
        "SEEN" to RepetitionCounter.SEEN,
        "RECENT" to RepetitionCounter.RECENT,
    )
}
