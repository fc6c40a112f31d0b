package org.skelgnn.demo

import org.skelgnn.core.Keypoints
import org.skelgnn.core.Pose
import org.skelgnn.core.Repetitions
import org.skelgnn.core.Skeleton

/** What the screen says. The permission is the activity's matter and not here. */
sealed interface ScreenState {
    /** Models and camera are being made ready. */
    data object Starting : ScreenState

    /** A model file is missing, broken, or computes something else than in Python. */
    data class NoModel(val reason: String) : ScreenState

    /** There is no camera, or it was taken away; [reason] is for the developer. */
    data class CameraLost(val reason: String) : ScreenState

    /** The camera works and sees nobody. */
    data object NoPerson : ScreenState

    /** The phone was turned: what was seen before does not fit the new picture, so counting begins anew. */
    data object Turned : ScreenState

    /** A person is seen. */
    data class Tracking(val frame: TrackedFrame) : ScreenState
}

/**
 * Everything about one frame that is drawn.
 *
 * @property keypoints What the detector saw, in pixels of the upright picture (not mirrored).
 * @property skeleton Of the pose.
 * @property pose Smoothed 3D pose.
 * @property repetitions Of the recognised exercise.
 * @property latency Where the time went.
 */
class TrackedFrame(
    val keypoints: Keypoints,
    val skeleton: Skeleton,
    val pose: Pose,
    val repetitions: Repetitions,
    val latency: Latency,
)

/**
 * Times of one frame.
 *
 * @property detectorMs From the camera's frame to its 2D keypoints.
 * @property modelsMs Lifting, recognising, filtering and counting.
 * @property framesPerSecond Of the last seconds, after dropped frames.
 */
class Latency(val detectorMs: Float, val modelsMs: Float, val framesPerSecond: Float) {
    val totalMs: Float get() = detectorMs + modelsMs
}
