package org.skelgnn.core

/**
 * The last frames of a camera as a window of [frames] frames at the model's rate: the twin of `_offsets` and of
 * `ActionStream`'s buffer in `skelgnn_tf/inference.py`.
 *
 * A phone's detector skips frames, so a window's frames are found by their times and not by counting: its last frame is
 * the newest, and the one k before it is whichever lies nearest to k / [fps] seconds earlier. Before the window is
 * full, its first frame is repeated.
 *
 * @property frames Frames T of a window.
 * @property size Numbers a frame.
 * @property fps Frame rate of the window; 0 takes the last T frames as they came.
 */
class FrameWindow(val frames: Int, val size: Int, val fps: Double) {
    // Kotlin's ArrayDeque is a ring buffer. Old frames leave it by time, so it holds a window's length at any rate.
    private val buffer = ArrayDeque<Frame>()

    private class Frame(val values: FloatArray, val timeS: Double)

    /** Time of the newest frame, null if there is none. */
    val lastS: Double? get() = buffer.lastOrNull()?.timeS

    /**
     * Takes the next frame.
     *
     * @param values [size] numbers; they are copied.
     * @param timeS Its time, later than the last one's.
     */
    fun push(values: FloatArray, timeS: Double) {
        require(values.size == size) { "a frame wants $size numbers; got ${values.size}" }
        val last = lastS
        require(last == null || timeS > last) { "a frame of $timeS s came after one of $last s; times must rise" }
        buffer.addLast(Frame(values.copyOf(), timeS))
        while (buffer.size > 1 && isTooOld(buffer[1])) buffer.removeFirst()
    }

    /** Forgets all frames, as when another person or picture begins. */
    fun clear() = buffer.clear()

    /** The window, oldest frame first: [frames] x [size] numbers, row-major. */
    fun read(): FloatArray {
        check(buffer.isNotEmpty()) { "the window has no frame yet; push one first" }
        val window = FloatArray(frames * size)
        for (i in 0..<frames) {
            val back = framesBack(frames - 1 - i).coerceAtMost(buffer.lastIndex)
            buffer[buffer.lastIndex - back].values.copyInto(window, i * size)
        }
        return window
    }

    /** How many of the camera's frames lie between the newest and the window's frame [k] before its last. */
    private fun framesBack(k: Int): Int {
        if (fps == 0.0) return k
        val wantedS = buffer.last().timeS - k / fps
        val after = (buffer.lastIndex downTo 0).firstOrNull { buffer[it].timeS <= wantedS } ?: return buffer.lastIndex
        if (after == buffer.lastIndex) return 0
        val share = (wantedS - buffer[after].timeS) / (buffer[after + 1].timeS - buffer[after].timeS)
        // Half-way cases go to the even number, as numpy rounds; the clock's last digits must not decide them.
        return Math.rint(Math.rint((buffer.lastIndex - after - share) * TIE) / TIE).toInt()
    }

    /** Whether a frame is older than a window reaches, so that the one before it can no longer be the nearest. */
    private fun isTooOld(frame: Frame): Boolean =
        if (fps == 0.0) buffer.size > frames else frame.timeS < buffer.last().timeS - (frames - 1) / fps - MARGIN_S

    private companion object {
        const val TIE = 1e6
        const val MARGIN_S = 1e-6
    }
}
