package org.skelgnn.core

/**
 * Keypoints to the probabilities of actions as the frames come: the twin of `ActionStream` in
 * `skelgnn_tf/inference.py`.
 *
 * @property contract Of a recogniser.
 * @property hop Frames from one decision to the next.
 * @throws IllegalArgumentException The contract is that of a lifter, or the hop is below 1.
 */
class ActionRecognizer(val contract: ModelContract, private val runner: Runner, private val hop: Int = 8) {
    private val window = FrameWindow(contract.frames, contract.keypointJoints.size * Keypoints.CHANNELS, contract.fps)
    private val restart = Restart(window)
    private var count = 0

    init {
        require(contract.task == Task.ACTION) { "${contract.name} lifts poses; ActionRecognizer wants a recogniser" }
        require(hop >= 1) { "hop wants 1 or more frames; got $hop" }
    }

    /** Forgets what was seen. */
    fun reset() = restart.reset()

    /**
     * Takes the next frame.
     *
     * @param keypoints In the contract's `keypointJoints`.
     * @return One probability for each of the contract's classes after every [hop]-th frame, else null.
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
