package org.skelgnn.core

/** Longest gap between frames that a window bridges, in seconds. */
const val GAP_S = 0.5

/** Clears a window at the first frame, after a gap, and when the image size changes. */
internal class Restart(private val window: FrameWindow) {
    private var imageSize: Pair<Int, Int>? = null

    /** Returns whether the stream restarts with [next], and clears the window if so. */
    fun isNeeded(next: Keypoints): Boolean {
        val size = next.widthPx to next.heightPx
        val last = window.lastS
        if (last != null && size == imageSize && next.timeS - last <= GAP_S) return false
        imageSize = size
        window.clear()
        return true
    }

    fun reset() = window.clear()
}
