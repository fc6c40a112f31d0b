package org.skelgnn.demo

import android.content.Context
import android.graphics.Bitmap
import com.google.mediapipe.framework.image.BitmapImageBuilder
import com.google.mediapipe.framework.image.MPImage
import com.google.mediapipe.tasks.components.containers.NormalizedLandmark
import com.google.mediapipe.tasks.core.BaseOptions
import com.google.mediapipe.tasks.vision.core.RunningMode
import com.google.mediapipe.tasks.vision.poselandmarker.PoseLandmarker
import com.google.mediapipe.tasks.vision.poselandmarker.PoseLandmarkerResult
import org.skelgnn.core.Keypoints

/**
 * Detects the 2D keypoints of one person with MediaPipe's Pose Landmarker. Frames that arrive while the detector is
 * busy are dropped.
 *
 * @param onKeypoints Called on MediaPipe's thread with the keypoints in the order of `blazepose_33`; null if no person
 *   is detected.
 * @param onError Called when the detection fails for a frame.
 * @throws RuntimeException If the model file is missing or damaged.
 */
class PoseDetector(
    context: Context,
    private val onKeypoints: (Keypoints?) -> Unit,
    onError: (RuntimeException) -> Unit,
) : AutoCloseable {
    private val landmarker = PoseLandmarker.createFromOptions(
        context,
        PoseLandmarker.PoseLandmarkerOptions.builder()
            .setBaseOptions(BaseOptions.builder().setModelAssetPath(MODEL).build())
            .setRunningMode(RunningMode.LIVE_STREAM)
            .setNumPoses(1)
            .setResultListener(::onResult)
            .setErrorListener(onError)
            .build(),
    )

    /**
     * Starts the detection in a frame; the result is passed to `onKeypoints` later.
     *
     * @param image ARGB_8888, upright and not mirrored: mirroring would swap left and right.
     * @param timeMs Time of the frame in milliseconds, later than the previous one.
     */
    fun detect(image: Bitmap, timeMs: Long) = landmarker.detectAsync(BitmapImageBuilder(image).build(), timeMs)

    override fun close() = landmarker.close()

    private fun onResult(result: PoseLandmarkerResult, image: MPImage) {
        val landmarks = result.landmarks().firstOrNull()
        onKeypoints(landmarks?.let { keypoints(it, image.width, image.height, result.timestampMs() / 1e3) })
    }

    private fun keypoints(landmarks: List<NormalizedLandmark>, widthPx: Int, heightPx: Int, timeS: Double): Keypoints {
        val values = FloatArray(landmarks.size * Keypoints.CHANNELS)
        landmarks.forEachIndexed { joint, landmark ->
            val visibility = landmark.visibility().orElse(1f)
            if (visibility >= MIN_VISIBILITY) {
                values[joint * Keypoints.CHANNELS] = landmark.x() * widthPx
                values[joint * Keypoints.CHANNELS + 1] = landmark.y() * heightPx
                values[joint * Keypoints.CHANNELS + 2] = visibility
            }
        }
        return Keypoints(values, widthPx, heightPx, timeS)
    }

    companion object {
        const val MODEL = "pose_landmarker_lite.task"

        /** A joint with lower visibility counts as missing, as in the Python detector. */
        private const val MIN_VISIBILITY = 0.05f
    }
}
