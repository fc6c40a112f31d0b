package org.skelgnn.core

import kotlin.concurrent.Volatile
import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min

/**
 * Converts the camera's timestamps to frame times that always increase, also when another camera with another clock
 * takes over: detectors refuse a time that is not later than the previous one.
 *
 * Within a session, which is one run of a camera, frames are as far apart as the camera took them, however late they
 * arrive. Call [timeMs] on one thread; [session] may be called on any.
 */
class FrameClock {
    private class Start(val session: Int, val timeMs: Long)

    // The current session and the one before, whose last frames may still be in the detector.
    @Volatile private var starts = emptyList<Start>()
    private var aheadNs = 0L
    private var lastMs = Long.MIN_VALUE

    /**
     * Returns the time of a frame in milliseconds of the clock of [nowMs], or null if a later session has begun.
     *
     * @param session Number of the session; a later session has a higher number.
     * @param timestampNs The camera's timestamp in nanoseconds, from any clock.
     * @param nowMs When the frame arrived, in milliseconds.
     */
    fun timeMs(session: Int, timestampNs: Long, nowMs: Long): Long? {
        val current = starts.lastOrNull()?.session
        if (current != null && session < current) return null
        val nowNs = nowMs * NS_PER_MS
        val isNew = session != current
        // The frame that arrived fastest tells best how the clocks differ. They drift apart while the phone sleeps.
        val isElsewhere = abs(timestampNs + aheadNs - nowNs) > LONGEST_DELAY_NS
        aheadNs = if (isNew || isElsewhere) nowNs - timestampNs else min(aheadNs, nowNs - timestampNs)
        var timeMs = (timestampNs + aheadNs).floorDiv(NS_PER_MS)
        if (lastMs != Long.MIN_VALUE) timeMs = max(timeMs, lastMs + 1)
        lastMs = timeMs
        if (isNew) starts = starts.takeLast(1) + Start(session, timeMs)
        return timeMs
    }

    /** Returns the session of a frame by its time, as [timeMs] returned it; null before the last two sessions. */
    fun session(timeMs: Long): Int? = starts.lastOrNull { it.timeMs <= timeMs }?.session

    private companion object {
        const val NS_PER_MS = 1_000_000L
        const val LONGEST_DELAY_NS = 1_000_000_000L
    }
}
