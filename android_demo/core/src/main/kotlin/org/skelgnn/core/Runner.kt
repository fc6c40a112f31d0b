package org.skelgnn.core

/**
 * Runs a model file: the one thing that `core` leaves to the app (LiteRT on a phone, anything in a test).
 *
 * The twin of `skelgnn_tf.inference.Runner`.
 */
fun interface Runner {
    /**
     * @param signature One of [ModelContract.signatures].
     * @param inputs Every input of the signature by name, row-major, of its shape.
     * @return Every output by name, row-major.
     */
    fun run(signature: String, inputs: Map<String, FloatArray>): Map<String, FloatArray>
}

/**
 * What a detector saw in one frame.
 *
 * @property values joints x 3, row-major: x and y in pixels of the upright picture, confidence in 0..1 (0: not seen).
 * @property widthPx Width of the picture that the pixels belong to.
 * @property heightPx Its height.
 * @property timeS When the picture was taken, in seconds of any clock that only goes forward.
 */
class Keypoints(val values: FloatArray, val widthPx: Int, val heightPx: Int, val timeS: Double) {
    internal val imageSize get() = floatArrayOf(widthPx.toFloat(), heightPx.toFloat())

    companion object {
        /** x, y, confidence. */
        const val CHANNELS = 3
    }
}

/**
 * A person's pose.
 *
 * @property jointsM joints x 3, row-major: metres, camera axes (x right, y down, z forward), the root at the origin.
 * @property confidence One for each joint, 0..1; what the detector thought of the joints that it was made of.
 * @property timeS Of the frame that it is about.
 */
class Pose(val jointsM: DoubleArray, val confidence: FloatArray, val timeS: Double)
