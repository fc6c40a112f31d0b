package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class GoldenTest {
    private val contract = ModelContract.parse(contractText(frames = 2, step = true))
    private val window = """{"keypoints": [[[[10, 20, 1]], [[30, 40, 1]]]], "image_size": [[50, 60]]}"""
    private val cases = """"cases": [{"inputs": $window, "outputs": {"pose_m": [[[[70, 100, 3]]]]}}]"""
    private val steps = """[{"pose_m": [[[[30, 60, 3]]]], "confidence": [[[1]]]},
        {"pose_m": [[[[70, 100, 3]]]], "confidence": [[[1]]]}]"""
    private val stepped = """{"file": "model.tflite", "files": {"model.tflite": {"step": $steps}}, $cases}"""

    private fun difference(text: String, runner: Runner) = Golden.parse(text).difference(runner, contract)

    /** The toy model with changed outputs of one signature. */
    private fun changed(signature: String, output: String, change: (FloatArray) -> FloatArray) =
        Runner { name, inputs ->
            val given = toyLifter(2).run(name, inputs)
            if (name == signature) given + (output to change(given.getValue(output))) else given
        }

    @Test
    fun `the difference is the largest of all windows`() {
        assertEquals(0f, difference("{$cases}", toyLifter(2)))
        val more = changed("serving_default", "pose_m") { pose -> FloatArray(3) { pose[it] + it / 2f } }
        assertEquals(1f, difference("{$cases}", more))
    }

    @Test
    fun `the difference is infinite for NaN and for a wrong shape`() {
        for (wrong in listOf(floatArrayOf(70f, Float.NaN, 3f), floatArrayOf(70f))) {
            val runner = changed("serving_default", "pose_m") { wrong }
            assertEquals(Float.POSITIVE_INFINITY, difference("{$cases}", runner))
        }
    }

    @Test
    fun `frames are also compared one by one if the file knows their outputs`() {
        assertEquals(0f, difference(stepped, toyLifter(2)))
        val later = changed("step", "pose_m") { pose -> FloatArray(3) { pose[it] + 2 } }
        assertEquals(2f, difference(stepped, later))
        assertEquals(0f, difference("{$cases}", later))
    }

    @Test
    fun `a state that is lost between the frames is found`() {
        val forgetful = changed("step", "state") { FloatArray(it.size) }
        // The second frame is taken for a first one: (1 + 2) * 30 and (1 + 2) * 40.
        assertEquals(20f, difference(stepped, forgetful))
    }

    @Test
    fun `a file without the cases raises an error`() {
        val error = assertFailsWith<IllegalArgumentException> { Golden.parse("{}") }
        assertContains(error.message.orEmpty(), "golden.json must have the key \"cases\"")
    }
}
