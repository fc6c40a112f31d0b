package org.skelgnn.demo

import android.os.SystemClock
import org.skelgnn.core.GAP_S
import org.skelgnn.core.Keypoints

/**
 * Turns the keypoints of each frame into the state of the screen. Not thread-safe: MediaPipe calls it on a single
 * thread.
 */
class FramePipeline(private val models: Models) {
    private var tracker = Tracker(models)
    private var session = 0
    private var round = 0
    private var imageSize: Pair<Int, Int>? = null
    private var turnedS = Double.NEGATIVE_INFINITY
    private var seenS = Double.NEGATIVE_INFINITY
    private var framesPerSecond = 0f

    /**
     * Adds a frame.
     *
     * @param keypoints Keypoints of the person; null if the frame shows none.
     * @param session Number of the camera's run. Frames of another camera have nothing to do with those before.
     * @return The new state of the screen, or null to keep the old one.
     */
    fun push(keypoints: Keypoints?, workout: Workout, session: Int): ScreenState? {
        if (keypoints == null) {
            // The detector may miss the person in a single frame.
            return ScreenState.NoPerson.takeIf { SystemClock.uptimeMillis() / 1e3 - seenS > GAP_S }
        }
        val size = keypoints.widthPx to keypoints.heightPx
        val isOther = session != this.session
        val isTurned = !isOther && imageSize != null && imageSize != size
        if (isTurned) turnedS = keypoints.timeS
        if (isOther || isTurned) tracker = Tracker(models, workout.exercise)
        else if (workout.round != round) tracker.restart(workout.exercise)
        this.session = session
        imageSize = size
        round = workout.round
        val frame = track(keypoints, workout)
        return if (keypoints.timeS - turnedS < TURNED_S) ScreenState.Turned else ScreenState.Tracking(frame)
    }

    private fun track(keypoints: Keypoints, workout: Workout): TrackedFrame {
        val startNs = System.nanoTime()
        val tracked = tracker.push(keypoints, workout.target)
        val modelsMs = (System.nanoTime() - startNs) / 1e6f
        val sinceLastS = keypoints.timeS - seenS
        if (sinceLastS < GAP_S) framesPerSecond += SMOOTHING * ((1 / sinceLastS).toFloat() - framesPerSecond)
        seenS = keypoints.timeS
        val detectorMs = (SystemClock.uptimeMillis() - keypoints.timeS * 1e3).toFloat() - modelsMs
        return TrackedFrame(
            keypoints,
            models.lifter.contract.skeleton,
            tracked.pose,
            tracked.repetitions,
            workout.target,
            tracked.cues,
            Latency(detectorMs, modelsMs, framesPerSecond),
        )
    }

    private companion object {
        /** Weight of the newest frame in the displayed frame rate. */
        const val SMOOTHING = 0.1f

        /** Duration of the notice that the phone was rotated, in seconds. */
        const val TURNED_S = 1.0
    }
}
