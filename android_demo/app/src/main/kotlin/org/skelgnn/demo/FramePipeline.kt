package org.skelgnn.demo

import android.os.SystemClock
import org.skelgnn.core.ActionStream
import org.skelgnn.core.Cues
import org.skelgnn.core.FormMeter
import org.skelgnn.core.GAP_S
import org.skelgnn.core.Keypoints
import org.skelgnn.core.OneEuroFilter
import org.skelgnn.core.Pose
import org.skelgnn.core.PoseStream
import org.skelgnn.core.RepetitionCounter
import org.skelgnn.core.RepetitionForm

/**
 * Turns the keypoints of each frame into the state of the screen, with all parts of `core`. Not thread-safe: MediaPipe
 * calls it on a single thread.
 */
class FramePipeline(models: Models) {
    private val poseStream = PoseStream(models.lifter.contract, models.lifter.runner)
    private val actionStream = ActionStream(models.recognizer.contract, models.recognizer.runner)
    private val skeleton = models.lifter.contract.skeleton
    private val classes = models.recognizer.contract.classes
    private val filter = OneEuroFilter()
    private val cues = Cues(skeleton)
    private val meter = FormMeter(skeleton)
    private var form: RepetitionForm? = null
    private var counter = RepetitionCounter(skeleton, classes)
    private var round = 0
    private var imageSize: Pair<Int, Int>? = null
    private var turnedS = Double.NEGATIVE_INFINITY
    private var seenS = Double.NEGATIVE_INFINITY
    private var framesPerSecond = 0f

    /** Adds a frame, null if it shows no person. Returns the new state of the screen, or null to keep the old one. */
    fun push(keypoints: Keypoints?, workout: Workout): ScreenState? {
        if (keypoints == null) {
            // The detector may miss the person in a single frame.
            return ScreenState.NoPerson.takeIf { SystemClock.uptimeMillis() / 1e3 - seenS > GAP_S }
        }
        val size = keypoints.widthPx to keypoints.heightPx
        val isTurned = imageSize != null && imageSize != size
        if (isTurned) turnedS = keypoints.timeS
        if (isTurned || workout.round != round) counter = RepetitionCounter(skeleton, classes, workout.exercise)
        imageSize = size
        round = workout.round
        val frame = track(keypoints, workout)
        return if (keypoints.timeS - turnedS < TURNED_S) ScreenState.Turned else ScreenState.Tracking(frame)
    }

    private fun track(keypoints: Keypoints, workout: Workout): TrackedFrame {
        val startNs = System.nanoTime()
        val nowS = keypoints.timeS
        val raw = poseStream.push(keypoints)
        // Also of a chosen exercise: it does not count while the recognizer finds that nobody exercises.
        val repetitions = counter.push(raw.jointsM, nowS, actionStream.push(keypoints))
        val guessM = filter.push(raw.guessM, nowS)
        val jointsM = DoubleArray(guessM.size) { if (raw.jointsM[it].isNaN()) Double.NaN else guessM[it] }
        meter.push(jointsM, nowS)
        val last = counter.repetitions.lastOrNull()
        if (last != form?.repetition) form = last?.let(meter::of)
        val pose = Pose(jointsM, guessM, raw.confidence, raw.timeS)
        val modelsMs = (System.nanoTime() - startNs) / 1e6f
        val sinceLastS = nowS - seenS
        if (sinceLastS < GAP_S) framesPerSecond += SMOOTHING * ((1 / sinceLastS).toFloat() - framesPerSecond)
        seenS = nowS
        return TrackedFrame(
            keypoints,
            skeleton,
            pose,
            repetitions,
            workout.target,
            cues.of(raw.jointsM, repetitions, workout.target, form),
            Latency((SystemClock.uptimeMillis() - nowS * 1e3).toFloat() - modelsMs, modelsMs, framesPerSecond),
        )
    }

    private companion object {
        /** Weight of the newest frame in the displayed frame rate. */
        const val SMOOTHING = 0.1f

        /** Duration of the notice that the phone was rotated, in seconds. */
        const val TURNED_S = 1.0
    }
}
