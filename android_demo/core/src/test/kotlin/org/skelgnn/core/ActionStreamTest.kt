package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue

class ActionStreamTest {
    private val classes = listOf("rest", "squat")

    @Test
    fun `every hop-th frame gives a decision and a restart resets the count`() {
        val runner = Runner { _, inputs -> mapOf("probabilities" to floatArrayOf(inputs.getValue("keypoints")[6], 0f)) }
        val stream = ActionStream(ModelContract.parse(contractText("action")), runner, hop = 2)
        val decisions = List(5) { stream.push(frame(it.toFloat(), it / 10.0))?.first() }
        assertEquals(listOf(null, 1f, null, 3f, null), decisions)
        assertNull(stream.push(frame(9f, 0.5, widthPx = 480)))
        assertEquals(8f, stream.push(frame(8f, 0.6, widthPx = 480))?.first())
        assertFailsWith<IllegalArgumentException> { ActionStream(stream.contract, runner, hop = 0) }
    }

    @Test
    fun `the label changes after several decisions but not after one`() {
        val decoder = ActionDecoder(classes)
        assertNull(decoder.label)
        repeat(4) { assertEquals("squat", decoder.push(floatArrayOf(0.1f, 0.9f), 0.3 * it)) }
        assertEquals("squat", decoder.push(floatArrayOf(0.9f, 0.1f), 1.2))
        repeat(4) { decoder.push(floatArrayOf(0.9f, 0.1f), 1.5 + 0.3 * it) }
        assertEquals("rest", decoder.label)
    }

    @Test
    fun `old decisions lose their weight`() {
        val decoder = ActionDecoder(classes)
        repeat(100) { decoder.push(floatArrayOf(0f, 1f), 0.3 * it) }
        // A few seconds of another action outweigh an action of any length.
        val changed = (1..100).first { decoder.push(floatArrayOf(1f, 0f), 29.7 + 0.3 * it) == "rest" }
        assertTrue(0.3 * changed in 2.0..5.0)
    }

    @Test
    fun `a wrong number of probabilities raises an error`() {
        assertFailsWith<IllegalArgumentException> { ActionDecoder(classes).push(floatArrayOf(1f), 0.0) }
    }
}
