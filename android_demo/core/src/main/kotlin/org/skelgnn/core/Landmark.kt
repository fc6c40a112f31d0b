package org.skelgnn.core

/**
 * A joint from a detector that always returns all joints and rates them, such as BlazePose.
 *
 * @property xPx x in pixels of the upright image; joints may lie outside it.
 * @property yPx y in pixels, downwards.
 * @property visibility Probability that the joint is visible: neither hidden nor outside the image.
 * @property presence Probability that the joint is inside the part of the image that the detector examined.
 */
class Landmark(val xPx: Float, val yPx: Float, val visibility: Float, val presence: Float) {
    /** Whether the detector knows the position, rather than guessing it. */
    internal fun isKnown(widthPx: Int, heightPx: Int): Boolean {
        val isInside = xPx >= 0 && xPx <= widthPx && yPx >= 0 && yPx <= heightPx
        val least = if (isInside) MIN_VISIBILITY else MIN_VISIBILITY_OUTSIDE
        return visibility >= least && presence >= MIN_PRESENCE
    }

    private companion object {
        // The same values as in skelgnn_tf.detection.video_keypoints, which explains them.
        const val MIN_VISIBILITY = 0.02
        const val MIN_VISIBILITY_OUTSIDE = 0.5
        const val MIN_PRESENCE = 0.5
    }
}
