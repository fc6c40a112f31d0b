package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull

class ActionStreamTest {
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
}
