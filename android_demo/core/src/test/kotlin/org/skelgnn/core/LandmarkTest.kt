package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals

/** Compares the kept keypoints with those of `skelgnn_tf.detection`. */
class LandmarkTest {
    private fun confidence(x: Float, visibility: Float, presence: Float = 1f) =
        Keypoints.of(listOf(Landmark(x, 10f, visibility, presence)), widthPx = 64, heightPx = 48, timeS = 0.0).values[2]

    @Test
    fun `kept keypoints equal Python's`() {
        val golden = fromPython("landmarks.json")
        val (width, height) = golden["width"].int to golden["height"].int
        for ((rated, expected) in golden["landmarks"].items zip golden["keypoints"].items) {
            val landmarks = rated.items.map { it.flatten() }.map { Landmark(it[0], it[1], it[2], it[3]) }
            assertContentEquals(expected.flatten(), Keypoints.of(landmarks, width, height, 0.0).values)
        }
    }

    @Test
    fun `a hidden joint is kept inside the image and dropped outside it`() {
        assertEquals(0.1f, confidence(x = 64f, visibility = 0.1f))
        assertEquals(0f, confidence(x = 64.1f, visibility = 0.1f))
        assertEquals(0.6f, confidence(x = 64.1f, visibility = 0.6f))
    }

    @Test
    fun `a joint that is not present is dropped although it is rated visible`() =
        assertEquals(0f, confidence(x = 30f, visibility = 0.9f, presence = 0.4f))
}
