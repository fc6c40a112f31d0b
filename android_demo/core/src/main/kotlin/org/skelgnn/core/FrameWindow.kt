package org.skelgnn.core

import kotlin.math.round

/**
 * Resamples the most recent camera frames to a window of [frames] frames at the model's rate. Mirrors the windows of
 * `skelgnn_tf.inference`.
 *
 * A detector on a phone drops frames, so frames are selected by time and not by counting: the last frame of the window
 * is the newest one, and the frame k positions before it is the one nearest to k / [fps] seconds earlier. Until the
 * window is full, the first frame is repeated.
 *
 * @property frames Number of frames T in the window.
 * @property size Number of values per frame.
 * @property fps Frame rate of the window; 0 selects the last T frames whatever their times.
 */
class FrameWindow(val frames: Int, val size: Int, val fps: Double) {
    // Frames are removed by age, so the buffer covers a whole window at any camera rate.
    private val buffer = ArrayDeque<Frame>()

    private class Frame(val values: FloatArray, val timeS: Double)

    /** Time of the newest frame in seconds; null if there is none. */
    val lastS: Double? get() = buffer.lastOrNull()?.timeS

    /**
     * Adds a frame.
     *
     * @param values Array of [size] values; the window keeps a copy.
     * @param timeS Time of the frame in seconds, later than the previous one.
     */
    fun push(values: FloatArray, timeS: Double) {
        require(values.size == size) {
            "values must have $size numbers. Received: ${values.size}. Pass the joints and channels of the contract."
        }
        val last = lastS
        require(last == null || timeS > last) {
            "timeS must be later than the previous frame's $last s. Received: $timeS s. Use the camera's timestamps."
        }
        buffer.addLast(Frame(values.copyOf(), timeS))
        while (buffer.size > 1 && isTooOld(buffer[1])) buffer.removeFirst()
    }

    /** Discards all frames, for example when the person or the image size changes. */
    fun clear() = buffer.clear()

    /** Returns the window, oldest frame first: [frames] x [size] values, row-major. */
    fun read(): FloatArray {
        check(buffer.isNotEmpty()) { "The window must have at least one frame. Call push() before read()." }
        val window = FloatArray(frames * size)
        for (i in 0..<frames) {
            val back = framesBack(frames - 1 - i).coerceAtMost(buffer.lastIndex)
            buffer[buffer.lastIndex - back].values.copyInto(window, i * size)
        }
        return window
    }

    /** Number of camera frames from the newest back to the one that stands [k] positions before the window's end. */
    private fun framesBack(k: Int): Int {
        if (fps == 0.0) return k
        val targetS = buffer.last().timeS - k / fps
        val after = (buffer.lastIndex downTo 0).firstOrNull { buffer[it].timeS <= targetS } ?: return buffer.lastIndex
        if (after == buffer.lastIndex) return 0
        val share = (targetS - buffer[after].timeS) / (buffer[after + 1].timeS - buffer[after].timeS)
        // Ties go to the even number, as in numpy; rounding first keeps the clock's last digits from breaking them.
        return round(round((buffer.lastIndex - after - share) * TIE) / TIE).toInt()
    }

    /** Whether a frame is older than the window, so that the frame before it can no longer be selected. */
    private fun isTooOld(frame: Frame): Boolean =
        if (fps == 0.0) buffer.size > frames else frame.timeS < buffer.last().timeS - (frames - 1) / fps - MARGIN_S

    private companion object {
        const val TIE = 1e6
        const val MARGIN_S = 1e-6
    }
}
