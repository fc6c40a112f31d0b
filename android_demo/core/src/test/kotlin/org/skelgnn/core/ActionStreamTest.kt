package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue

class ActionTest {
    private val classes = listOf("rest", "squat")

    @Test
    fun `every hop-th frame brings a decision and a restart counts anew`() {
        val runner = Runner { _, inputs -> mapOf("probabilities" to floatArrayOf(inputs.getValue("keypoints")[6], 0f)) }
        val recognizer = ActionRecognizer(ModelContract.parse(contractText("action")), runner, hop = 2)
        val decisions = List(5) { recognizer.push(frame(it.toFloat(), it / 10.0))?.first() }
        assertEquals(listOf(null, 1f, null, 3f, null), decisions)
        assertNull(recognizer.push(frame(9f, 0.5, widthPx = 480)))
        assertEquals(8f, recognizer.push(frame(8f, 0.6, widthPx = 480))?.first())
        assertFailsWith<IllegalArgumentException> { ActionRecognizer(recognizer.contract, runner, hop = 0) }
    }

    @Test
    fun `one stray decision does not change the label and many do`() {
        val decoder = ActionDecoder(classes)
        assertNull(decoder.label)
        repeat(4) { assertEquals("squat", decoder.push(floatArrayOf(0.1f, 0.9f), 0.3 * it)) }
        assertEquals("squat", decoder.push(floatArrayOf(0.9f, 0.1f), 1.2))
        repeat(4) { decoder.push(floatArrayOf(0.9f, 0.1f), 1.5 + 0.3 * it) }
        assertEquals("rest", decoder.label)
    }

    @Test
    fun `the past fades`() {
        val decoder = ActionDecoder(classes)
        repeat(100) { decoder.push(floatArrayOf(0f, 1f), 0.3 * it) }
        // However long it went on, a few seconds of something else outweigh it.
        val changed = (1..100).first { decoder.push(floatArrayOf(1f, 0f), 29.7 + 0.3 * it) == "rest" }
        assertTrue(0.3 * changed in 2.0..5.0)
    }

    @Test
    fun `another number of probabilities is refused`() {
        assertFailsWith<IllegalArgumentException> { ActionDecoder(classes).push(floatArrayOf(1f), 0.0) }
    }
}
