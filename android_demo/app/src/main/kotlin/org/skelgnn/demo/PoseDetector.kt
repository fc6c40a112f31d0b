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
import org.skelgnn.core.Landmark

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
        val found = result.landmarks().firstOrNull()?.map { landmark(it, image) }
        onKeypoints(found?.let { Keypoints.of(it, image.width, image.height, result.timestampMs() / 1e3) })
    }

    private fun landmark(found: NormalizedLandmark, image: MPImage) = Landmark(
        found.x() * image.width,
        found.y() * image.height,
        found.visibility().orElse(1f),
        found.presence().orElse(1f),
    )

    companion object {
        const val MODEL = "pose_landmarker_lite.task"
    }
}
