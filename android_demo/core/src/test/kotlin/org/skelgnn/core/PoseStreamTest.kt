package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class PoseStreamTest {
    private fun stream(streaming: Boolean = false) =
        PoseStream(ModelContract.parse(contractText(step = true)), toyLifter(3), streaming)

    private fun xs(stream: PoseStream, frames: List<Keypoints>) = frames.map { stream.push(it).jointsM[0] }

    private fun steady(count: Int) = List(count) { frame((it * it + 1).toFloat(), it / 10.0) }

    @Test
    fun `a pose is computed from the window of the last frames`() =
        // Frames 1, 2, 5, 10 with weights 1, 2, 3; the first frame is repeated at the start.
        assertEquals(listOf(6.0, 9.0, 20.0, 42.0), xs(stream(), steady(4)))

    @Test
    fun `streaming gives the same poses as windows`() =
        assertEquals(xs(stream(), steady(20)), xs(stream(streaming = true), steady(20)))

    @Test
    fun `streaming follows the model's clock and not the camera's frame rate`() {
        val twice = List(12) { frame((it + 1).toFloat(), it / 20.0) }
        val poses = xs(stream(streaming = true), twice)
        // The clock ticks at 0, 0.1, 0.2 .. s; a frame half-way between two ticks belongs to the later one.
        assertEquals(poses[1], poses[2])
        val ticks = listOf(poses[0], poses[1], poses[3], poses[5])
        assertEquals(listOf(6.0, 1.0 + 2 + 6, 1.0 + 4 + 12, 2.0 + 8 + 18), ticks)
        val half = List(4) { frame((it + 1).toFloat(), it / 5.0) }
        assertEquals(listOf(6.0, 1.0 + 4 + 6, 2.0 + 6 + 9, 3.0 + 8 + 12), xs(stream(streaming = true), half))
    }

    @Test
    fun `a rotated phone and a gap restart the stream`() {
        for (streaming in listOf(false, true)) {
            val stream = stream(streaming)
            xs(stream, steady(5))
            assertEquals(60.0, stream.push(frame(10f, 0.5, widthPx = 480)).jointsM[0])
            assertEquals(10.0 * 3 + 20.0 * 3, stream.push(frame(20f, 0.6, widthPx = 480)).jointsM[0])
            assertEquals(6.0, stream.push(frame(1f, 1.2, widthPx = 480)).jointsM[0])
            stream.reset()
            assertEquals(12.0, stream.push(frame(2f, 1.3, widthPx = 480)).jointsM[0])
        }
    }

    @Test
    fun `a joint is not a number until it is seen, and after it is missing for half a second`() {
        for (streaming in listOf(false, true)) {
            val stream = stream(streaming)
            // Seen at 0.2 s only; the model's clock ticks every 0.1 s.
            val poses = List(9) { stream.push(frame(1f, it / 10.0, confidence = if (it == 2) 1f else 0f)) }
            assertEquals(listOf(0, 1, 8), poses.indices.filter { poses[it].jointsM.all(Double::isNaN) })
            assertEquals(emptyList(), poses.filter { pose -> pose.guessM.any(Double::isNaN) })
            // What was seen before the phone was rotated says nothing about the new image.
            stream.push(frame(1f, 0.9))
            val rotated = stream.push(frame(1f, 1.0, widthPx = 480, confidence = 0f))
            assertEquals(listOf(true, true, true), rotated.jointsM.map { it.isNaN() })
        }
    }

    @Test
    fun `a model with look-ahead gives the pose of an earlier frame`() {
        val outputs = "\"pose_m\": [1, 3, 1, 3], \"confidence\": [1, 3, 1]"
        val contract = ModelContract.parse(contractText(lookAhead = 1, outputs = outputs))
        val everyFrame = Runner { _, inputs ->
            val window = inputs.getValue("keypoints")
            mapOf("pose_m" to window, "confidence" to floatArrayOf(0.1f, 0.2f, 0.3f))
        }
        val stream = PoseStream(contract, everyFrame)
        stream.push(frame(1f, 0.0))
        val pose = stream.push(frame(2f, 0.1))
        assertEquals(1.0, pose.jointsM[0])
        assertEquals(0.0, pose.timeS, 1e-9)
        assertContentEquals(floatArrayOf(0.2f), pose.confidence)
    }

    @Test
    fun `a contract of another task or without a step raises an error`() {
        val recognizer = ModelContract.parse(contractText("action"))
        assertFailsWith<IllegalArgumentException> { PoseStream(recognizer, toyLifter(3)) }
        val lifter = ModelContract.parse(contractText())
        assertFailsWith<IllegalArgumentException> { ActionStream(lifter, toyLifter(3)) }
        assertFailsWith<IllegalArgumentException> { PoseStream(lifter, toyLifter(3), streaming = true) }
    }
}
