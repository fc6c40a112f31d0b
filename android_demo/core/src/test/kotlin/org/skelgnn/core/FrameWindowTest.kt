package org.skelgnn.core

import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class FrameWindowTest {
    /** Returns the window after each frame; each frame has its index as its only value. */
    private fun windows(frames: Int, fps: Double, timesS: List<Double>): List<List<Int>> {
        val window = FrameWindow(frames, 1, fps)
        return timesS.mapIndexed { i, timeS ->
            window.push(floatArrayOf(i.toFloat()), timeS)
            window.read().map { it.toInt() }
        }
    }

    @Test
    fun `the first frame is repeated until the window is full`() = assertEquals(
        listOf(listOf(0, 0, 0), listOf(0, 0, 1), listOf(0, 1, 2), listOf(1, 2, 3)),
        windows(3, 10.0, listOf(5.0, 5.1, 5.2, 5.3)),
    )

    @Test
    fun `without a frame rate the window holds the last frames`() = assertEquals(
        listOf(listOf(0, 0), listOf(0, 1), listOf(1, 2), listOf(2, 3)),
        windows(2, 0.0, listOf(0.0, 0.1, 7.0, 7.5)),
    )

    @Test
    fun `dropped frames do not shift the times of the window`() {
        val times = listOf(0.0, 0.1, 0.2, 0.5, 0.6, 0.7)
        // Half a second before 0.7 s is frame 2, not the fifth frame before the last.
        assertEquals(listOf(2, 2, 3, 3, 4, 5), windows(6, 10.0, times).last())
    }

    @Test
    fun `each frame is the nearest in time at every camera rate`() {
        val random = Random(0)
        for (rate in listOf(9.0, 24.0, 29.97, 60.0, 120.0)) {
            var now = 1000.0
            val times = List(200) { now.also { now += random.nextDouble(0.5, 1.5) / rate } }
            windows(9, 30.0, times).forEachIndexed { last, window ->
                val nearest = (8 downTo 0).map { k ->
                    (0..last).minBy { kotlin.math.abs(times[it] - (times[last] - k / 30.0)) }
                }
                assertEquals(nearest, window)
            }
        }
    }

    @Test
    fun `the window copies the frames`() {
        val window = FrameWindow(1, 1, 0.0)
        val frame = floatArrayOf(1f)
        window.push(frame, 0.0)
        frame[0] = 2f
        assertContentEquals(floatArrayOf(1f), window.read())
    }

    @Test
    fun `frames with a wrong size or an earlier time raise an error`() {
        val window = FrameWindow(2, 1, 0.0)
        assertFailsWith<IllegalStateException> { window.read() }
        assertFailsWith<IllegalArgumentException> { window.push(floatArrayOf(1f, 2f), 0.0) }
        window.push(floatArrayOf(1f), 1.0)
        assertFailsWith<IllegalArgumentException> { window.push(floatArrayOf(1f), 1.0) }
    }
}
