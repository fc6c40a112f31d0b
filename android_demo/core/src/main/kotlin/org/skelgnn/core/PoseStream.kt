package org.skelgnn.core

import kotlin.math.floor

/**
 * Lifts a live stream of keypoints to 3D poses, frame by frame. The live form of `skelgnn_tf.inference.lift`.
 *
 * By default, the model receives a window of the last frames. With [streaming], it receives one frame at a time through
 * its signature `step`, and this class keeps the state. Both cost the same; windows adapt better to the camera's frame
 * rate. The stream restarts when the image size changes (the phone was rotated) or after a gap of more than [GAP_S].
 *
 * @property contract Contract of a lifting model.
 * @property streaming Whether to run the signature `step`.
 * @throws IllegalArgumentException If the contract describes an action model, or if [streaming] is true and the model
 *   has no signature `step`.
 */
class PoseStream(
    private val contract: ModelContract,
    runner: Runner,
    private val streaming: Boolean = false,
) {
    private val runner = CheckedRunner(runner, contract.keypointJoints.size)
    private val window = FrameWindow(contract.frames, contract.keypointJoints.size * Keypoints.CHANNELS, contract.fps)
    private val restart = Restart(window)
    private val visibility = VisibilityTracker()
    private var state = emptyMap<String, FloatArray>()
    private var startS = 0.0
    private var ticks = 0L
    private var latest: Pose? = null

    init {
        require(contract.task == Task.LIFT) {
            "contract must describe a lifting model. Received: ${contract.name}, an action model. Use ActionStream."
        }
        require(!streaming || ModelContract.STEP in contract.signatures) {
            "streaming must be false for models without the signature step. Received: true for ${contract.name}."
        }
    }

    /** Delay of the poses behind the frames, in seconds. */
    val delayS: Double get() = if (contract.fps > 0) contract.lookAheadFrames / contract.fps else 0.0

    /** Discards all frames. */
    fun reset() = restart.reset()

    /**
     * Adds a frame.
     *
     * @param keypoints Keypoints in the order of the contract's `keypointJoints`.
     * @return The newest pose, which is [delayS] older than the frame.
     * @throws IllegalArgumentException If the keypoints are not in pixels, or if a confidence is above 1.
     */
    fun push(keypoints: Keypoints): Pose {
        val isFirst = restart.isNeeded(keypoints)
        if (isFirst) visibility.reset()
        window.push(keypoints.values, keypoints.timeS)
        val outputs = if (streaming) stream(keypoints, isFirst) else run(ModelContract.WINDOW, window.read(), keypoints)
        outputs?.let { latest = pose(it, keypoints.timeS - delayS) }
        return checkNotNull(latest)
    }

    private fun run(signature: String, values: FloatArray, keypoints: Keypoints): Map<String, FloatArray> {
        val inputs = mapOf(ModelContract.KEYPOINTS to values, ModelContract.IMAGE_SIZE to keypoints.imageSize)
        return runner.run(signature, if (signature == ModelContract.STEP) inputs + state else inputs)
    }

    /** Runs one step per tick of the model's clock since the last frame; returns null if there was no tick. */
    private fun stream(keypoints: Keypoints, isFirst: Boolean): Map<String, FloatArray>? {
        if (isFirst) {
            state = contract.firstState()
            startS = keypoints.timeS
            ticks = -1
        }
        val now = if (contract.fps > 0) floor((keypoints.timeS - startS) * contract.fps + 0.5).toLong() else ticks + 1
        var outputs: Map<String, FloatArray>? = null
        while (ticks < now) {
            ticks++
            val given = run(ModelContract.STEP, keypoints.values, keypoints)
            state = state.mapValues { (name, _) -> given.getValue(name) }
            outputs = given
        }
        return outputs
    }

    private fun pose(outputs: Map<String, FloatArray>, timeS: Double): Pose {
        val joints = contract.skeleton.joints.size
        val poses = outputs.getValue(ModelContract.POSE_M)
        // A model outputs the pose of one frame, or of every frame in its window.
        val frames = poses.size / (joints * 3)
        val frame = if (frames == 1) 0 else frames - 1 - contract.lookAheadFrames
        val guessM = DoubleArray(joints * 3) { poses[frame * joints * 3 + it].toDouble() }
        val confidence = outputs.getValue(ModelContract.CONFIDENCE).copyOfRange(frame * joints, (frame + 1) * joints)
        val unseen = visibility.push(confidence, timeS)
        val jointsM = DoubleArray(joints * 3) { if (unseen[it / 3]) Double.NaN else guessM[it] }
        return Pose(jointsM, guessM, confidence, timeS)
    }
}
