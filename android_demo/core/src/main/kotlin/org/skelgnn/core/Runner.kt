package org.skelgnn.core

/**
 * Runs a model file. This is the only part that `core` leaves to the app, e.g. LiteRT on a phone.
 */
fun interface Runner {
    /**
     * Runs one signature.
     *
     * @param signature Key of [ModelContract.signatures].
     * @param inputs All inputs of the signature by name, row-major.
     * @return All outputs by name, row-major.
     */
    fun run(signature: String, inputs: Map<String, FloatArray>): Map<String, FloatArray>
}

/**
 * 2D keypoints of one frame.
 *
 * @property values joints x 3, row-major: x and y in pixels of the upright image, confidence in 0..1 (0 if the joint is
 *   not detected).
 * @property widthPx Width of the image in pixels.
 * @property heightPx Height of the image in pixels.
 * @property timeS Time of the frame in seconds, from any monotonic clock.
 */
class Keypoints(val values: FloatArray, val widthPx: Int, val heightPx: Int, val timeS: Double) {
    internal val imageSize get() = floatArrayOf(widthPx.toFloat(), heightPx.toFloat())

    companion object {
        /** x, y, confidence. */
        const val CHANNELS = 3

        /**
         * Returns the keypoints of a frame, with zeros for landmarks that the detector only guesses. Mirrors
         * `skelgnn_tf.detection.video_keypoints.as_keypoints`.
         *
         * A landmark is a guess if its visibility is below 0.02, or below 0.5 outside the image, or if its presence is
         * below 0.5. The visibility of the others is their confidence.
         */
        fun of(landmarks: List<Landmark>, widthPx: Int, heightPx: Int, timeS: Double): Keypoints {
            val values = FloatArray(landmarks.size * CHANNELS)
            landmarks.forEachIndexed { joint, one ->
                if (one.isKnown(widthPx, heightPx)) {
                    floatArrayOf(one.xPx, one.yPx, one.visibility).copyInto(values, joint * CHANNELS)
                }
            }
            return Keypoints(values, widthPx, heightPx, timeS)
        }
    }
}

/**
 * 3D pose of a person.
 *
 * @property jointsM joints x 3, row-major: meters, camera axes (x right, y down, z forward), root at the origin. NaN
 *   for joints that are not seen ([VisibilityTracker]); if the root is one of them, the others are relative to where
 *   the model places it.
 * @property guessM [jointsM] with the joints that are not seen where the model places them. For drawings; do not
 *   measure on it.
 * @property confidence Confidence of each joint, 0..1, from the detector's confidence in the keypoints it is based on.
 * @property timeS Time in seconds of the frame that shows the pose.
 */
class Pose(val jointsM: DoubleArray, val guessM: DoubleArray, val confidence: FloatArray, val timeS: Double)
