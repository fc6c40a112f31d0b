package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** Compares bounds, plausibility and cycles with `skelgnn_tf.motion.plausibility` and `exercise_cycles`. */
class PlausibilityTest {
    private val golden by lazy { fromPython("motion.json") }

    @Test
    fun `bounds equal Python's`() {
        val expected = golden["plausibility"]["bounds"].fields.mapValues { (_, bounds) -> bounds.items.map(::bound) }
        val differences = (expected.keys + BOUNDS.keys).mapNotNull { name ->
            val inPython = expected[name].orEmpty().toSet()
            val inKotlin = BOUNDS[name].orEmpty().toSet()
            "$name has ${inPython - inKotlin} in plausibility.py and ${inKotlin - inPython} in Plausibility.kt"
                .takeIf { inPython != inKotlin }
        }
        assertTrue(differences.isEmpty(), differences.joinToString("; "))
    }

    private fun bound(json: Json) = Bound(
        json["measure"].string,
        json.find("least")?.double ?: Double.NEGATIVE_INFINITY,
        json.find("most")?.double ?: Double.POSITIVE_INFINITY,
        json["changes"].boolean,
    )

    @Test
    fun `plausible cycles equal Python's, also when most of the frames are not seen`() {
        val (firstS, lastS) = golden["plausibility"]["middle_s"].doubles()
        golden["plausibility"]["cycles"].items.forEachIndexed { i, case ->
            val exercise = case["exercise"].string
            val measure = case["measure"].string
            val frames = case["times_s"].doubles().zip(case["values"].numbers()) { timeS, value ->
                MeasuredFrame(timeS, MEASURES.mapValues { (name, _) -> if (name == measure) value else Double.NaN })
            }
            val given = Plausibility.isPlausible(exercise, frames, firstS..lastS)
            assertEquals(case["is_plausible"].boolean, given, "$exercise, $measure of cycle $i")
        }
    }

    @Test
    fun `an exercise without bounds is always plausible`() {
        assertTrue(Plausibility.isPlausible("plank", listOf(MeasuredFrame(0.5, emptyMap())), 0.0..1.0))
    }

    @Test
    fun `plausible and doubtful cycles of all exercises equal Python's while one of them is done`() {
        for (clip in golden["clips"].items) {
            check(clip["cycles"], clip["pose_m"].poses(), clip["times_s"].doubles(), clip["exercise"].string)
        }
    }

    @Test
    fun `a cycle that ends when the person comes back after a long absence is judged by its own frames`() {
        for (clip in golden["absent"].items) {
            val poses = clip["pose_m"].poses()
            clip["cases"].items.forEachIndexed { i, case ->
                check(case["cycles"], poses, case["times_s"].doubles(), "${clip["exercise"].string}, absence $i")
            }
        }
    }

    private fun check(expected: Json, poses: List<DoubleArray>, timesS: List<Double>, what: String) {
        val signals = ExerciseSignals(skeleton(golden["skeleton"]))
        val cycles = ExerciseCycles(MOVEMENTS.keys.toList())
        val ended = poses.zip(timesS) { pose, timeS -> cycles.push(signals.of(pose), timeS) } + listOf(cycles.finish())
        assertEquals(expected["ended"].items.map { it.strings }, ended, what)
        for (name in MOVEMENTS.keys) {
            assertSame(expected["plausible"][name], cycles.cycles.getValue(name), "$name, $what done")
            assertSame(expected["doubtful"][name], cycles.doubtful.getValue(name), "doubtful $name, $what done")
        }
    }

    private fun assertSame(expected: Json, given: List<Cycle>, what: String) =
        assertClose(expected.doubles(), given.flatMap { listOf(it.startS, it.topS, it.endS, it.low, it.top) }, what)
}
