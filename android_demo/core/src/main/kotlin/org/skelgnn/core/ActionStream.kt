package org.skelgnn.core

/**
 * Recognizes actions in a live stream of keypoints, frame by frame. Mirrors `ActionStream` in `skelgnn_tf.inference`.
 *
 * @property contract Contract of an action model.
 * @property hop Number of frames between decisions.
 * @throws IllegalArgumentException If the contract describes a lifting model, or if [hop] is less than 1.
 */
class ActionStream(val contract: ModelContract, runner: Runner, private val hop: Int = 8) {
    private val runner = CheckedRunner(runner, contract.keypointJoints.size)
    private val window = FrameWindow(contract.frames, contract.keypointJoints.size * Keypoints.CHANNELS, contract.fps)
    private val restart = Restart(window)
    private var count = 0

    init {
        require(contract.task == Task.ACTION) {
            "contract must describe an action model. Received: ${contract.name}, a lifting model. Use PoseStream."
        }
        require(hop >= 1) { "hop must be at least 1 frame. Received: $hop." }
    }

    /** Discards all frames. */
    fun reset() = restart.reset()

    /**
     * Adds a frame.
     *
     * @param keypoints Keypoints in the order of the contract's `keypointJoints`.
     * @return One probability per class after every [hop]-th frame, otherwise null.
     * @throws IllegalArgumentException If the keypoints are not in pixels, or if a confidence is above 1.
     */
    fun push(keypoints: Keypoints): FloatArray? {
        if (restart.isNeeded(keypoints)) count = 0
        window.push(keypoints.values, keypoints.timeS)
        count++
        if (count % hop != 0) return null
        val inputs = mapOf(ModelContract.KEYPOINTS to window.read(), ModelContract.IMAGE_SIZE to keypoints.imageSize)
        return runner.run(ModelContract.WINDOW, inputs).getValue(ModelContract.PROBABILITIES)
    }
}
