package org.skelgnn.core

/** Longest time without a frame, in seconds, over which a window goes on. */
const val GAP_S = 0.5

/** When a window must begin anew: at first, after a gap, and when the picture has another size. */
internal class Restart(private val window: FrameWindow) {
    private var imageSize: Pair<Int, Int>? = null

    /** Whether [next] begins anew; the window is then empty. */
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
