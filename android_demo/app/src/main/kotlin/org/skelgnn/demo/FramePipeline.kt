package org.skelgnn.demo

import android.os.SystemClock
import org.skelgnn.core.ActionRecognizer
import org.skelgnn.core.GAP_S
import org.skelgnn.core.Keypoints
import org.skelgnn.core.OneEuroFilter
import org.skelgnn.core.Pose
import org.skelgnn.core.PoseLifter
import org.skelgnn.core.RepetitionCounter

/**
 * From a frame's keypoints to what the screen shows: everything of `core` in its order. Called on one thread at a time,
 * MediaPipe's.
 */
class FramePipeline(models: Models) {
    private val lifter = PoseLifter(models.lifter.contract, models.lifter.runner)
    private val recognizer = ActionRecognizer(models.recognizer.contract, models.recognizer.runner)
    private val skeleton = models.lifter.contract.skeleton
    private val classes = models.recognizer.contract.classes
    private val filter = OneEuroFilter()
    private var counter = RepetitionCounter(skeleton, classes)
    private var imageSize: Pair<Int, Int>? = null
    private var turnedS = Double.NEGATIVE_INFINITY
    private var seenS = Double.NEGATIVE_INFINITY
    private var framesPerSecond = 0f

    /** Takes the next frame, null if nobody is seen in it; null if the screen stays as it is. */
    fun push(keypoints: Keypoints?): ScreenState? {
        if (keypoints == null) {
            // One frame without a person is a detector's slip.
            return ScreenState.NoPerson.takeIf { SystemClock.uptimeMillis() / 1e3 - seenS > GAP_S }
        }
        val size = keypoints.widthPx to keypoints.heightPx
        if (imageSize != null && imageSize != size) {
            turnedS = keypoints.timeS
            counter = RepetitionCounter(skeleton, classes)
        }
        imageSize = size
        val frame = track(keypoints)
        return if (keypoints.timeS - turnedS < TURNED_S) ScreenState.Turned else ScreenState.Tracking(frame)
    }

    private fun track(keypoints: Keypoints): TrackedFrame {
        val startNs = System.nanoTime()
        val nowS = keypoints.timeS
        val raw = lifter.push(keypoints)
        val repetitions = counter.push(raw.jointsM, nowS, recognizer.push(keypoints))
        val pose = Pose(filter.push(raw.jointsM, nowS), raw.confidence, raw.timeS)
        val modelsMs = (System.nanoTime() - startNs) / 1e6f
        val sinceLastS = nowS - seenS
        if (sinceLastS < GAP_S) framesPerSecond += SHARE * ((1 / sinceLastS).toFloat() - framesPerSecond)
        seenS = nowS
        return TrackedFrame(
            keypoints,
            skeleton,
            pose,
            repetitions,
            Latency((SystemClock.uptimeMillis() - nowS * 1e3).toFloat() - modelsMs, modelsMs, framesPerSecond),
        )
    }

    private companion object {
        /** Weight of a frame in the frame rate that is shown. */
        const val SHARE = 0.1f

        /** How long the screen says that the phone was turned. */
        const val TURNED_S = 1.0
    }
}
