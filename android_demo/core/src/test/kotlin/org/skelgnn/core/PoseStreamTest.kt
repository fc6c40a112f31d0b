package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class PoseLifterTest {
    private fun lifter(streaming: Boolean = false) =
        PoseLifter(ModelContract.parse(contractText(step = true)), toyLifter(3), streaming)

    private fun xs(lifter: PoseLifter, frames: List<Keypoints>) = frames.map { lifter.push(it).jointsM[0] }

    private fun steady(count: Int) = List(count) { frame((it * it + 1).toFloat(), it / 10.0) }

    @Test
    fun `a pose is made of the window of the last frames`() =
        // Frames 1, 2, 5, 10 with weights 1, 2, 3, the first repeated at the start.
        assertEquals(listOf(6.0, 9.0, 20.0, 42.0), xs(lifter(), steady(4)))

    @Test
    fun `streaming gives what windows give`() =
        assertEquals(xs(lifter(), steady(20)), xs(lifter(streaming = true), steady(20)))

    @Test
    fun `streaming goes by the model's clock and not by the camera's frames`() {
        val twice = List(12) { frame((it + 1).toFloat(), it / 20.0) }
        val poses = xs(lifter(streaming = true), twice)
        // Ticks at 0, 0.1, 0.2 .. s; a frame half-way belongs to the next.
        assertEquals(poses[1], poses[2])
        val ticks = listOf(poses[0], poses[1], poses[3], poses[5])
        assertEquals(listOf(6.0, 1.0 + 2 + 6, 1.0 + 4 + 12, 2.0 + 8 + 18), ticks)
        val half = List(4) { frame((it + 1).toFloat(), it / 5.0) }
        assertEquals(listOf(6.0, 1.0 + 4 + 6, 2.0 + 6 + 9, 3.0 + 8 + 12), xs(lifter(streaming = true), half))
    }

    @Test
    fun `a turned phone and a gap begin anew`() {
        for (streaming in listOf(false, true)) {
            val lifter = lifter(streaming)
            xs(lifter, steady(5))
            assertEquals(60.0, lifter.push(frame(10f, 0.5, widthPx = 480)).jointsM[0])
            assertEquals(10.0 * 3 + 20.0 * 3, lifter.push(frame(20f, 0.6, widthPx = 480)).jointsM[0])
            assertEquals(6.0, lifter.push(frame(1f, 1.2, widthPx = 480)).jointsM[0])
            lifter.reset()
            assertEquals(12.0, lifter.push(frame(2f, 1.3, widthPx = 480)).jointsM[0])
        }
    }

    @Test
    fun `a model that looks ahead gives the pose of an earlier frame`() {
        val outputs = "\"pose_m\": [1, 3, 1, 3], \"confidence\": [1, 3, 1]"
        val contract = ModelContract.parse(contractText(lookAhead = 1, outputs = outputs))
        val everyFrame = Runner { _, inputs ->
            val window = inputs.getValue("keypoints")
            mapOf("pose_m" to window, "confidence" to floatArrayOf(0.1f, 0.2f, 0.3f))
        }
        val lifter = PoseLifter(contract, everyFrame)
        lifter.push(frame(1f, 0.0))
        val pose = lifter.push(frame(2f, 0.1))
        assertEquals(1.0, pose.jointsM[0])
        assertEquals(0.0, pose.timeS, 1e-9)
        assertContentEquals(floatArrayOf(0.2f), pose.confidence)
    }

    @Test
    fun `a contract that does not fit is refused`() {
        val recognizer = ModelContract.parse(contractText("action"))
        assertFailsWith<IllegalArgumentException> { PoseLifter(recognizer, toyLifter(3)) }
        val lifter = ModelContract.parse(contractText())
        assertFailsWith<IllegalArgumentException> { ActionRecognizer(lifter, toyLifter(3)) }
        assertFailsWith<IllegalArgumentException> { PoseLifter(lifter, toyLifter(3), streaming = true) }
    }
}
