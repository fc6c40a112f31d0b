package org.skelgnn.core

import kotlin.math.exp
import kotlin.test.Test

/** Compares live streams with `skelgnn_tf.inference`. */
class LiveTest {
    private val golden by lazy { fromPython("live.json") }
    private val frames by lazy { golden["frames"].int }
    private val joints by lazy { golden["joints"].int }

    private fun List<FloatArray>.flatten() = flatMap { it.toList() }

    private fun keypoints(case: Json): List<Keypoints> {
        val values = case["keypoints"].items.map { frame -> frame.numbers().map { it.toFloat() }.toFloatArray() }
        return values.mapIndexed { i, frame -> Keypoints(frame, 640, 480, 100 + i / case["camera_fps"].double) }
    }

    private fun contract(case: Json, task: String): ModelContract {
        val names = (0..<joints).joinToString { "\"j$it\"" }
        val outputs = """"pose_m": [1, 1, $joints, 3], "confidence": [1, 1, $joints]"""
        val text = if (task == "lift") contractText(task, frames, case["fps"].double, outputs = outputs)
        else contractText(task, frames, case["fps"].double, outputs = "\"probabilities\": [1, 2]")
        return ModelContract.parse(
            text.replace("\"joints\": [\"nose\"]", "\"joints\": [$names]").replace("[-1]", "[-1, 0]")
                .replace("\"keypoint_joints\": [\"nose\"]", "\"keypoint_joints\": [$names]")
                .replace("[1, $frames, 1, 3]", "[1, $frames, $joints, 3]"),
        )
    }

    @Test
    fun `poses equal those of Python's lift at every frame rate, without joints that are not seen`() {
        for (case in golden["cases"].items) {
            val stream = PoseStream(contract(case, "lift"), toyLifter(frames))
            val rate = case["camera_fps"].double
            for ((i, frame) in keypoints(case).withIndex()) {
                val pose = stream.push(frame)
                val expected = case["guess_m"].items[i].doubles()
                val unseen = case["unseen"].items[i].ints
                assertClose(expected, pose.guessM.toList(), "frame $i at $rate frames/s")
                val seen = expected.mapIndexed { at, value -> if (unseen[at / 3] == 1) Double.NaN else value }
                assertClose(seen, pose.jointsM.toList(), "seen joints of frame $i at $rate frames/s")
            }
        }
    }

    @Test
    fun `decisions equal those of Python's ActionStream at every frame rate`() {
        for (case in golden["cases"].items) {
            val softmax = Runner { _, inputs ->
                val sum = weightedSum(inputs.getValue("keypoints"), frames)
                val scores = FloatArray(joints) { exp(sum[3 * it] / 10) }
                mapOf("probabilities" to scores.map { it / scores.sum() }.toFloatArray())
            }
            val stream = ActionStream(contract(case, "action"), softmax, case["hop"].int)
            val decisions = keypoints(case).mapNotNull { stream.push(it) }
            val expected = case["probabilities"].items.map { it.flatten() }
            assertClose(expected.flatten(), decisions.flatten(), "decisions")
        }
    }
}
