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
 * 2D keypoints of the largest person by MediaPipe's Pose Landmarker. Frames that come while it is busy are dropped.
 *
 * @param onKeypoints Called on MediaPipe's thread with the keypoints in blazepose_33's order; null if nobody is seen.
 * @param onError Called when a frame could not be looked at.
 * @throws RuntimeException The model file is missing or broken.
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
            .setResultListener(::take)
            .setErrorListener(onError)
            .build(),
    )

    /**
     * Looks at a frame; its keypoints come later.
     *
     * @param picture ARGB_8888, upright, not mirrored: a mirrored one would swap left and right.
     * @param timeMs Later than the last one's.
     */
    fun detect(picture: Bitmap, timeMs: Long) = landmarker.detectAsync(BitmapImageBuilder(picture).build(), timeMs)

    override fun close() = landmarker.close()

    private fun take(result: PoseLandmarkerResult, picture: MPImage) {
        val landmarks = result.landmarks().firstOrNull()
        onKeypoints(landmarks?.let { keypoints(it, picture.width, picture.height, result.timestampMs() / 1e3) })
    }

    private fun keypoints(landmarks: List<NormalizedLandmark>, widthPx: Int, heightPx: Int, timeS: Double): Keypoints {
        val values = FloatArray(landmarks.size * Keypoints.CHANNELS)
        landmarks.forEachIndexed { joint, landmark ->
            val visibility = landmark.visibility().orElse(1f)
            if (visibility >= LEAST_VISIBLE) {
                values[joint * Keypoints.CHANNELS] = landmark.x() * widthPx
                values[joint * Keypoints.CHANNELS + 1] = landmark.y() * heightPx
                values[joint * Keypoints.CHANNELS + 2] = visibility
            }
        }
        return Keypoints(values, widthPx, heightPx, timeS)
    }

    companion object {
        const val MODEL = "pose_landmarker_lite.task"

        /** A joint that is less visible is missing, as in skelgnn_tf/video/keypoints.py. */
        private const val LEAST_VISIBLE = 0.05f
    }
}
