package org.skelgnn.core

import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue

class FrameClockTest {
    private val clock = FrameClock()

    private fun ns(ms: Long) = ms * 1_000_000

    @Test
    fun `frames are as far apart as the camera took them, however late they arrive`() {
        // The first frame has the shortest way.
        val lateMs = listOf(0L, 30, 5, 50, 12)
        val times = lateMs.mapIndexed { i, late -> clock.timeMs(1, ns(7 + 33L * i), 5000 + 33L * i + late) }
        assertEquals(listOf<Long?>(5000, 5033, 5066, 5099, 5132), times)
    }

    @Test
    fun `times increase, are not later than the arrival, and soon as far apart as the timestamps`() {
        val random = Random(0)
        val lateMs = List(300) { if (it == EARLIEST) 0 else random.nextLong(1, 60) }
        val arrivals = lateMs.mapIndexed { i, late -> 9000 + 17L * i + late }
        val times = arrivals.mapIndexed { i, arrival -> checkNotNull(clock.timeMs(1, ns(400_000 + 17L * i), arrival)) }
        assertTrue(times.zipWithNext().all { (one, next) -> one < next })
        assertTrue(times.zipWithNext { one, next -> next - one }.toSet().size > 1)
        // The times before the earliest frame were a little late; a few frames make up for it.
        val steady = times.drop(EARLIEST + 5)
        assertEquals(setOf(17L), steady.zipWithNext { one, next -> next - one }.toSet())
        assertTrue(steady.zip(arrivals.drop(EARLIEST + 5)).all { (time, arrival) -> time <= arrival })
    }

    @Test
    fun `another camera with another clock continues the times in a new session`() {
        clock.timeMs(1, ns(90_000), 5000)
        val before = checkNotNull(clock.timeMs(1, ns(90_033), 5033))
        val after = checkNotNull(clock.timeMs(2, ns(4), 5500))
        assertEquals(5500, after)
        assertEquals(5533, clock.timeMs(2, ns(37), 5540))
        assertEquals(listOf<Int?>(1, 2, 2), listOf(before, after, after + 1).map { clock.session(it) })
        assertNull(clock.session(4000))
    }

    @Test
    fun `a frame of an earlier session has no time`() {
        clock.timeMs(2, ns(4), 5500)
        assertNull(clock.timeMs(1, ns(90_066), 5501))
        assertEquals(2, clock.session(5501))
    }

    @Test
    fun `after the phone slept, times follow the arrival again`() {
        clock.timeMs(1, ns(1000), 5000)
        assertEquals(8000, clock.timeMs(1, ns(61_000), 8000))
        assertEquals(8033, clock.timeMs(1, ns(61_033), 8040))
        // The clock of the arrival may also have gone on alone.
        assertEquals(20_000, clock.timeMs(1, ns(61_066), 20_000))
    }

    private companion object {
        const val EARLIEST = 100
    }
}
