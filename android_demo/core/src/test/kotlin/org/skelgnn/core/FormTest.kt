package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** Compares the form of repetitions with `skelgnn_tf.motion.form` and `skelgnn_tf.motion.targets`. */
class FormTest {
    private val golden by lazy { fromPython("motion.json") }
    private val skeleton by lazy { skeleton(golden["skeleton"]) }

    private fun repetition(exercise: String, isComplete: Boolean = true) =
        Repetition(exercise, startS = 0.0, topS = 1.0, endS = 2.0, isComplete)

    @Test
    fun `targets and constants equal Python's`() {
        val expected = golden["targets"].fields.mapValues { (_, it) ->
            Target(
                it["angle"].string,
                it.find("depth_deg")?.double,
                it.find("asymmetry_deg")?.double,
                it.find("hold_s")?.double,
            )
        }
        assertEquals(expected, TARGETS)
        assertEquals(golden["holds"].strings.toSet(), HOLDS)
        val constants = mapOf("HELD" to FormMeter.HELD, "MOVES" to FormMeter.MOVES)
        assertEquals(golden["form_constants"].fields.mapValues { it.value.double }, constants)
    }

    @Test
    fun `form and cues equal Python's, also while one side is not seen and of positions that are held`() {
        val names = golden["forms"].items.map { case ->
            val repetitions = case["repetitions"].items.map { one ->
                val (startS, topS, endS, complete) = one["numbers"].doubles()
                Repetition(one["exercise"].string, startS, topS, endS, complete == 1.0)
            }
            check(case, repetitions)
            repetitions.first().exercise
        }
        assertEquals(TARGETS.keys, names.toSet())
    }

    private fun check(case: Json, repetitions: List<Repetition>) {
        val meter = FormMeter(skeleton)
        case["pose_m"].poses().zip(case["times_s"].doubles(), meter::push)
        val given = repetitions.map(meter::of)
        val exercise = repetitions.first().exercise
        fun close(name: String, values: List<Double?>) =
            assertClose(case[name].numbers(), values.map { it ?: Double.NaN }, "$exercise $name")
        close("depth_deg", given.map { it.depthDeg })
        close("asymmetry_deg", given.map { it.asymmetryDeg })
        close("parts_s", given.flatMap { listOf(it.thereS, it.holdS, it.backS) })
        assertEquals(case["cues"].items.map { it.strings }, given.map { form -> form.cues.map(::text) }, exercise)
    }

    /** A cue as Python writes it. */
    private fun text(cue: Cue) = when (cue) {
        Cue.Partial -> "partial repetition"
        is Cue.Depth -> "depth ${cue.depthDeg}°, target ${cue.targetDeg}°"
        is Cue.Uneven -> {
            val other = if (cue.lower == "left") "right" else "left"
            "${cue.lower} ${cue.differenceDeg}° less than $other, at most ${cue.mostDeg}°"
        }
        is Cue.Held -> "held ${cue.heldS} s, target ${cue.targetS} s"
        else -> cue.toString()
    }

    @Test
    fun `of a position that is held for longer than poses are kept, only the time is known`() {
        val meter = FormMeter(skeleton)
        val (poses, seconds) = golden["forms"].items.last()["pose_m"].poses() to FormMeter.KEPT_S.toInt() + 10
        for (second in 0..seconds) meter.push(poses[second], second.toDouble())
        fun of(startS: Double) = meter.of(Repetition("plank", startS, startS, seconds.toDouble(), isComplete = true))
        assertEquals(RepetitionForm(of(9.0).repetition, holdS = seconds - 9.0), of(9.0))
        assertEquals(FormMeter.KEPT_S, of(10.0).holdS)
        assertTrue(of(10.0).asymmetryDeg != null)
    }

    @Test
    fun `a position that is held too short is reported in tenths of a second`() {
        fun cues(holdS: Double) = RepetitionForm(repetition("plank"), holdS = holdS).cues
        assertEquals(listOf<Cue>(Cue.Held(59.9, 60)), cues(59.94))
        assertEquals(emptyList(), cues(59.96))
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
        assertEquals(RepetitionForm(repetition("squat", isComplete = false)), form)
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
        // A position that is held has no count: an earlier exercise may still be shown.
        val held = RepetitionForm(repetition("plank"), holdS = 2.0)
        val pose = DoubleArray(3 * skeleton.joints.size)
        assertEquals(listOf<Cue>(Cue.Held(2.0, 60)), cues.of(pose, Repetitions(3, "squat", 0.0), last = held))
    }
}
