package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals

/** Compares the form of repetitions with `skelgnn_tf.motion.form` and `skelgnn_tf.motion.targets`. */
class FormTest {
    private val golden by lazy { fromPython("motion.json") }
    private val skeleton by lazy { skeleton(golden["skeleton"]) }

    private fun repetition(exercise: String, isComplete: Boolean = true) =
        Repetition(exercise, startS = 0.0, topS = 1.0, endS = 2.0, isComplete)

    @Test
    fun `targets equal Python's`() {
        val expected = golden["targets"].fields.mapValues { (_, it) ->
            Target(it["angle"].string, it["depth_deg"].double, it["asymmetry_deg"].double.takeIf { most -> most >= 0 })
        }
        assertEquals(expected, TARGETS)
        assertEquals(golden["moves"].double, FormMeter.MOVES)
    }

    @Test
    fun `depth, asymmetry and cues equal Python's, also while one side is not seen`() {
        golden["forms"].items.zip(MOVEMENTS.keys) { case, exercise ->
            val meter = FormMeter(skeleton)
            case["pose_m"].poses().zip(case["times_s"].doubles(), meter::push)
            val given = case["repetitions"].items.map { one ->
                val (startS, topS, endS, complete) = one["numbers"].doubles()
                meter.of(Repetition(one["exercise"].string, startS, topS, endS, complete == 1.0))
            }
            assertClose(case["depth_deg"].numbers(), given.map { it.depthDeg ?: Double.NaN }, "$exercise depth")
            assertClose(case["asymmetry_deg"].numbers(), given.map { it.asymmetryDeg ?: Double.NaN }, "$exercise sides")
            assertEquals(case["cues"].items.map { it.strings }, given.map { form -> form.cues.map(::text) }, exercise)
        }
    }

    /** A cue as Python writes it. */
    private fun text(cue: Cue) = when (cue) {
        Cue.Partial -> "partial repetition"
        is Cue.Depth -> "depth ${cue.depthDeg}°, target ${cue.targetDeg}°"
        is Cue.Uneven -> {
            val other = if (cue.lower == "left") "right" else "left"
            "${cue.lower} ${cue.differenceDeg}° less than $other, at most ${cue.mostDeg}°"
        }
        else -> cue.toString()
    }

    @Test
    fun `a depth that rounds to the target is enough, and any depth that is not seen`() {
        fun cues(depthDeg: Double?) = RepetitionForm(repetition("squat"), depthDeg, null).cues
        assertEquals(emptyList(), cues(89.6))
        assertEquals(listOf<Cue>(Cue.Depth(89, 90)), cues(89.4))
        assertEquals(emptyList(), cues(null))
    }

    @Test
    fun `an exercise that was not seen has no form`() {
        val form = FormMeter(skeleton).of(repetition("squat", isComplete = false))
        assertEquals(RepetitionForm(repetition("squat", isComplete = false), null, null), form)
        assertEquals(listOf<Cue>(Cue.Partial), form.cues)
    }

    @Test
    fun `cues on the form follow the others, and only for the exercise that is shown`() {
        val cues = Cues(skeleton)
        val most = checkNotNull(TARGETS.getValue("squat").asymmetryDeg).toInt()
        val last = RepetitionForm(repetition("squat"), depthDeg = 70.0, asymmetryDeg = most + 1.0)
        fun of(exercise: String) =
            cues.of(DoubleArray(3 * skeleton.joints.size), Repetitions(3, exercise, 0.0), target = 3, last)
        val form = listOf(Cue.Depth(70, 90), Cue.Uneven("right", most + 1, most))
        assertEquals(listOf(Cue.TargetReached) + form, of("squat"))
        assertEquals(listOf<Cue>(Cue.TargetReached), of("lunge"))
    }
}
