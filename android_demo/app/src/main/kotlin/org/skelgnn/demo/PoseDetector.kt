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
 * @param onResult Called on MediaPipe's thread with the time of the frame in milliseconds and the keypoints in the
 *   order of `blazepose_33`; null if no person is detected.
 * @param onError Called when the detection fails for a frame.
 * @throws RuntimeException If the model file is missing or damaged.
 */
class PoseDetector(
    context: Context,
    private val onResult: (Long, Keypoints?) -> Unit,
    onError: (RuntimeException) -> Unit,
) : AutoCloseable {
    private val landmarker = PoseLandmarker.createFromOptions(
        context,
        PoseLandmarker.PoseLandmarkerOptions.builder()
            .setBaseOptions(BaseOptions.builder().setModelAssetPath(MODEL).build())
            .setRunningMode(RunningMode.LIVE_STREAM)
            .setNumPoses(1)
            .setResultListener(::report)
            .setErrorListener(onError)
            .build(),
    )

    /**
     * Starts the detection in a frame; the result is passed to `onResult` later.
     *
     * @param image ARGB_8888, upright and not mirrored: mirroring would swap left and right. MediaPipe copies it.
     * @param timeMs Time of the frame in milliseconds, later than the previous one.
     * @throws RuntimeException If the detector has failed before.
     */
    fun detect(image: Bitmap, timeMs: Long) = landmarker.detectAsync(BitmapImageBuilder(image).build(), timeMs)

    override fun close() = landmarker.close()

    private fun report(result: PoseLandmarkerResult, image: MPImage) {
        val (timeMs, found) = result.timestampMs() to result.landmarks().firstOrNull()?.map { landmark(it, image) }
        onResult(timeMs, found?.let { Keypoints.of(it, image.width, image.height, timeMs / 1e3) })
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
