package org.skelgnn.core

/**
 * A [runner] that receives only keypoints that a model understands. Mirrors `skelgnn_tf.inference.guards`.
 *
 * A keypoint with a coordinate that is not finite, or with a confidence that is not above 0, becomes zeros: the graph
 * multiplies missing keypoints by zero, and zero times NaN is NaN.
 *
 * @property joints Number of keypoints of a frame.
 */
internal class CheckedRunner(private val runner: Runner, private val joints: Int) : Runner {
    /** @throws IllegalArgumentException If the image size, a confidence or the coordinates have another unit. */
    override fun run(signature: String, inputs: Map<String, FloatArray>): Map<String, FloatArray> {
        val imageSize = inputs.getValue(ModelContract.IMAGE_SIZE)
        require(imageSize.all { it.isFinite() && it > 0 }) {
            "image_size must be the width and the height in pixels, above 0. Received: ${size(imageSize)}. " +
                "Pass the size of the picture that the keypoints are from."
        }
        val keypoints = masked(inputs.getValue(ModelContract.KEYPOINTS))
        checkUnits(keypoints, imageSize)
        return runner.run(signature, inputs + (ModelContract.KEYPOINTS to keypoints))
    }

    private fun masked(keypoints: FloatArray): FloatArray {
        val masked = keypoints.copyOf()
        for (at in keypoints.indices step Keypoints.CHANNELS) {
            // NaN is not greater than 0 either.
            val isSeen = keypoints[at].isFinite() && keypoints[at + 1].isFinite() && keypoints[at + 2] > 0
            if (!isSeen) masked.fill(0f, at, at + Keypoints.CHANNELS)
        }
        return masked
    }

    private fun checkUnits(keypoints: FloatArray, imageSize: FloatArray) {
        var largest = 0f
        var confidence = 0f
        var isNegative = false
        for (at in keypoints.indices step Keypoints.CHANNELS) {
            largest = maxOf(largest, keypoints[at], keypoints[at + 1])
            confidence = maxOf(confidence, keypoints[at + 2])
            isNegative = isNegative || keypoints[at] < 0 || keypoints[at + 1] < 0
        }
        require(confidence <= MAX_CONFIDENCE) {
            "keypoints must have a confidence of 0 to 1. Received: $confidence. Divide it by the largest confidence " +
                "that the detector gives."
        }
        val isSmall = largest <= MAX_SHARE && !isNegative && imageSize.max() > SMALL_PICTURE_PX
        require(!isSmall || mostSeen(keypoints) < FEWEST_SEEN) {
            "keypoints must be in pixels. Received: x and y of at most $largest in a picture of ${size(imageSize)} " +
                "pixels. Multiply x by the width and y by the height."
        }
    }

    /** Returns the most keypoints that are visible in one frame. */
    private fun mostSeen(keypoints: FloatArray): Int =
        (keypoints.indices step joints * Keypoints.CHANNELS).maxOf { frame ->
            (0..<joints).count { keypoints[frame + it * Keypoints.CHANNELS + 2] > 0 }
        }

    private fun size(imageSize: FloatArray) = imageSize.joinToString(" x ")

    // The same values as in skelgnn_tf.inference.guards, which explains them; a test compares them.
    internal companion object {
        const val MAX_CONFIDENCE = 1.001f
        const val MAX_SHARE = 1.5f
        const val SMALL_PICTURE_PX = 16f
        const val FEWEST_SEEN = 3
    }
}
