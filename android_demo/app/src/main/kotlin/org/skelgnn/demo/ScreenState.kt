package org.skelgnn.demo

import org.skelgnn.core.Cue
import org.skelgnn.core.Keypoints
import org.skelgnn.core.Pose
import org.skelgnn.core.Repetitions
import org.skelgnn.core.Skeleton

/** State of the screen. The camera permission is handled in the UI. */
sealed interface ScreenState {
    /** The models and the camera are starting. */
    data object Starting : ScreenState

    /** A model file is missing or damaged, or its outputs differ from Python's. */
    data class NoModel(val reason: String) : ScreenState

    /** The detector or a model failed for a frame. The next result replaces it; if there is none, open them again. */
    data class DetectorFailed(val reason: String) : ScreenState

    /** The camera does not exist or is disconnected; [reason] is for the developer. */
    data class CameraLost(val reason: String) : ScreenState

    /** The image shows no person. */
    data object NoPerson : ScreenState

    /** The phone was rotated: earlier frames do not match the new image, so counting restarts. */
    data object Turned : ScreenState

    /** A person is detected. */
    data class Tracking(val frame: TrackedFrame) : ScreenState
}

/**
 * Results of one frame.
 *
 * @property keypoints Detected keypoints, in pixels of the upright image (not mirrored).
 * @property skeleton Skeleton of the pose.
 * @property pose Smoothed 3D pose.
 * @property repetitions The counted exercise and its repetitions.
 * @property target Intended number of repetitions; null if there is none.
 * @property cues Advice for the person, the most urgent first.
 * @property latency Processing times of the frame.
 */
class TrackedFrame(
    val keypoints: Keypoints,
    val skeleton: Skeleton,
    val pose: Pose,
    val repetitions: Repetitions,
    val target: Int?,
    val cues: List<Cue>,
    val latency: Latency,
)

/**
 * Processing times of one frame.
 *
 * @property detectorMs Time from the camera frame to its 2D keypoints.
 * @property modelsMs Time for lifting, action recognition, filtering and counting.
 * @property framesPerSecond Recent rate of processed frames; dropped frames do not count.
 */
class Latency(val detectorMs: Float, val modelsMs: Float, val framesPerSecond: Float) {
    val totalMs: Float get() = detectorMs + modelsMs
}
