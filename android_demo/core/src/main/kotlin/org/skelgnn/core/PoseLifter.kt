package org.skelgnn.core

import kotlin.math.floor

/**
 * Keypoints to 3D poses as the frames come: the live form of `skelgnn_tf.inference.lift`.
 *
 * A window of the last frames goes through the model, or, [streaming], one frame at a time through its signature
 * `step`, whose state is kept here. Windows fit a camera of any rate better; both cost the same. A picture of another
 * size (the phone was turned) or a gap of more than [GAP_S] begins anew.
 *
 * @throws IllegalArgumentException The contract is that of a recogniser, or has no `step` to stream with.
 */
class PoseLifter(
    private val contract: ModelContract,
    private val runner: Runner,
    private val streaming: Boolean = false,
) {
    private val window = FrameWindow(contract.frames, contract.keypointJoints.size * Keypoints.CHANNELS, contract.fps)
    private val restart = Restart(window)
    private var state = emptyMap<String, FloatArray>()
    private var startS = 0.0
    private var ticks = 0L
    private var latest: Pose? = null

    init {
        require(contract.task == Task.LIFT) { "${contract.name} recognises actions; PoseLifter wants a lifter" }
        require(!streaming || ModelContract.STEP in contract.signatures) { "${contract.name} has no step to stream" }
    }

    /** Seconds from a frame to the pose that is about it. */
    val delayS: Double get() = if (contract.fps > 0) contract.lookAheadFrames / contract.fps else 0.0

    /** Forgets what was seen. */
    fun reset() = restart.reset()

    /**
     * Takes the next frame.
     *
     * @param keypoints In the contract's `keypointJoints`.
     * @return The newest pose, [delayS] older than the frame.
     */
    fun push(keypoints: Keypoints): Pose {
        val isFirst = restart.isNeeded(keypoints)
        window.push(keypoints.values, keypoints.timeS)
        val outputs = if (streaming) stream(keypoints, isFirst) else run(ModelContract.WINDOW, window.read(), keypoints)
        outputs?.let { latest = pose(it, keypoints.timeS - delayS) }
        return checkNotNull(latest)
    }

    private fun run(signature: String, values: FloatArray, keypoints: Keypoints): Map<String, FloatArray> {
        val inputs = mapOf(ModelContract.KEYPOINTS to values, ModelContract.IMAGE_SIZE to keypoints.imageSize)
        return runner.run(signature, if (signature == ModelContract.STEP) inputs + state else inputs)
    }

    /** As many steps as the model's clock has ticked since the last frame; null if it has not. */
    private fun stream(keypoints: Keypoints, isFirst: Boolean): Map<String, FloatArray>? {
        if (isFirst) {
            val inputs = contract.signatures.getValue(ModelContract.STEP).inputs
            state = (inputs - setOf(ModelContract.KEYPOINTS, ModelContract.IMAGE_SIZE))
                .mapValues { (_, shape) -> FloatArray(shape.fold(1, Int::times)) }
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
        // A model gives the pose of one frame, or of every frame of its window.
        val frames = poses.size / (joints * 3)
        val frame = if (frames == 1) 0 else frames - 1 - contract.lookAheadFrames
        return Pose(
            DoubleArray(joints * 3) { poses[frame * joints * 3 + it].toDouble() },
            outputs.getValue(ModelContract.CONFIDENCE).copyOfRange(frame * joints, (frame + 1) * joints),
            timeS,
        )
    }
}
