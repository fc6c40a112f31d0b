package org.skelgnn.demo

import android.content.Context
import android.graphics.Bitmap
import org.skelgnn.core.Keypoints

/**
 * The detector and the models, which are opened and closed together.
 *
 * @param onResult Called on MediaPipe's thread with what turns keypoints into the state of the screen, the time of the
 *   frame in milliseconds, and its keypoints; null if no person is detected.
 * @param onError Called when the detection fails for a frame.
 */
class Engine private constructor(
    context: Context,
    private val models: Models,
    onResult: (FramePipeline, Long, Keypoints?) -> Unit,
    onError: (Throwable) -> Unit,
) : AutoCloseable {
    private val pipeline = FramePipeline(models)
    private val detector = PoseDetector(context, { timeMs, found -> onResult(pipeline, timeMs, found) }, onError)

    /** Starts the detection in a frame; see [PoseDetector.detect]. */
    fun detect(image: Bitmap, timeMs: Long) = detector.detect(image, timeMs)

    /** Waits for the last result, which still uses the models. */
    override fun close() {
        models.use { detector.close() }
    }

    companion object {
        /**
         * Opens the models and the detector.
         *
         * @param checkActive Called between the steps; may throw to stop. Nothing stays open then.
         * @throws RuntimeException If a file is missing or damaged, or if a model gives other results than in Python.
         */
        fun open(
            context: Context,
            checkActive: () -> Unit,
            onResult: (FramePipeline, Long, Keypoints?) -> Unit,
            onError: (Throwable) -> Unit,
        ): Engine {
            val models = Models.open(context.assets, checkActive)
            return models.closedOnFailure {
                checkActive()
                Engine(context, models, onResult, onError)
            }
        }
    }
}
