package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** Compares what a model receives with `skelgnn_tf.inference.guards`. */
class CheckedRunnerTest {
    private val golden by lazy { fromPython("guards.json") }

    /** Returns what the model receives of keypoints. */
    private fun given(keypoints: FloatArray, imageSize: FloatArray): FloatArray {
        val echo = Runner { _, inputs -> inputs }
        val inputs = mapOf("keypoints" to keypoints, "image_size" to imageSize)
        return CheckedRunner(echo, golden["joints"].int).run("step", inputs).getValue("keypoints")
    }

    @Test
    fun `bounds equal Python's`() = assertEquals(
        golden["bounds"].flatten().toList(),
        CheckedRunner.run { listOf(MAX_CONFIDENCE, MAX_SHARE, SMALL_PICTURE_PX, FEWEST_SEEN.toFloat()) },
    )

    @Test
    fun `missing keypoints become zeros and other units are refused, as in Python`() {
        for (case in golden["cases"].items) {
            val keypoints = numbers(case["keypoints"])
            val refusal = case["refusal"].string
            if (refusal.isEmpty()) {
                assertContentEquals(numbers(case["guarded"]), given(keypoints, numbers(case["image_size"])))
            } else {
                val error = assertFailsWith<IllegalArgumentException>(refusal) {
                    given(keypoints, numbers(case["image_size"]))
                }
                assertEquals(refusal, error.message.orEmpty().substringBefore(" Received"))
            }
        }
        assertEquals(4, golden["cases"].items.map { it["refusal"].string }.toSet().size)
    }

    /** Numbers from Python, which writes -1e9 for NaN and 1e9 for infinity. */
    private fun numbers(json: Json) = json.numbers()
        .map { if (it > 1e8) Float.POSITIVE_INFINITY else it.toFloat() }.toFloatArray()

    @Test
    fun `a joint that is not a number does not spoil the poses of its window`() {
        for (streaming in listOf(false, true)) {
            val stream = PoseStream(ModelContract.parse(contractText(step = true)), toyLifter(3), streaming)
            stream.push(frame(1f, 0.0))
            stream.push(frame(Float.NaN, 0.1))
            // The frame without a joint counts as zeros: 1 * 1 + 2 * 0 + 3 * 2.
            assertEquals(7.0, stream.push(frame(2f, 0.2)).jointsM[0])
        }
    }

    @Test
    fun `both streams refuse normalized coordinates and a picture without size`() {
        val normalized = Keypoints(FloatArray(9) { listOf(0.4f, 0.6f, 1f)[it % 3] }, 640, 480, 0.0)
        val empty = Keypoints(FloatArray(9) { 40f }, 0, 480, 0.0)
        val lifter = contractOfThree("lift")
        val recognizer = contractOfThree("action")
        val pushes = listOf<(Keypoints) -> Any?>(
            { PoseStream(lifter, toyLifter(3)).push(it) },
            { ActionStream(recognizer, toyLifter(3), hop = 1).push(it) },
        )
        for (push in pushes) {
            val pixels = assertFailsWith<IllegalArgumentException> { push(normalized) }
            assertContains(pixels.message.orEmpty(), "x and y of at most 0.6 in a picture of 640.0 x 480.0 pixels.")
            val size = assertFailsWith<IllegalArgumentException> { push(empty) }
            assertContains(size.message.orEmpty(), "above 0. Received: 0.0 x 480.0.")
        }
    }
    @Test
    fun `one or two joints in the corner are no normalized coordinates`() {
        val corner = floatArrayOf(0.4f, 0.6f, 1f, 0.2f, 0.1f, 1f, 0f, 0f, 0f)
        val stream = PoseStream(contractOfThree("lift"), Runner { _, inputs ->
            mapOf("pose_m" to FloatArray(3) { inputs.getValue("keypoints")[it] }, "confidence" to FloatArray(1) { 1f })
        })
        for (frame in 0..2) {
            assertEquals(0.4f, stream.push(Keypoints(corner, 640, 480, frame / 10.0)).guessM[0].toFloat())
        }
    }

    private fun contractOfThree(task: String) = ModelContract.parse(
        contractText(task).replace("\"keypoint_joints\": [\"nose\"]", """"keypoint_joints": ["a", "b", "c"]""")
            .replace("[1, 3, 1, 3]", "[1, 3, 3, 3]"),
    )
}
