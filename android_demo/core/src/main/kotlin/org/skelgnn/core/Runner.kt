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
    }
}

/**
 * 3D pose of a person.
 *
 * @property jointsM joints x 3, row-major: meters, camera axes (x right, y down, z forward), root at the origin.
 * @property confidence Confidence of each joint, 0..1, from the detector's confidence in the keypoints it is based on.
 * @property timeS Time in seconds of the frame that shows the pose.
 */
class Pose(val jointsM: DoubleArray, val confidence: FloatArray, val timeS: Double)
