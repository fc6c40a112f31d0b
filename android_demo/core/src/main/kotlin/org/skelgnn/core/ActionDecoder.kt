package org.skelgnn.core

import kotlin.math.exp
import kotlin.math.min

/**
 * Turns the probabilities of an action model into a label that does not flicker: the class with the largest
 * exponentially decaying sum of probabilities. Mirrors the decision rule of `skelgnn_tf.motion.RepetitionCounter`.
 *
 * @property classes Class names, in the order of the probabilities.
 */
class ActionDecoder(private val classes: List<String>) {
    private val sumsS = DoubleArray(classes.size)
    private val signsS = DoubleArray(classes.size) { Double.NEGATIVE_INFINITY }
    private var timeS = Double.NaN

    /** The current action; null before the first decision. */
    var label: String? = null
        private set

    /**
     * Adds a decision.
     *
     * @param probabilities One value per class.
     * @param nowS Time of the decision in seconds, later than the previous one.
     * @return The updated [label].
     */
    fun push(probabilities: FloatArray, nowS: Double): String? {
        require(probabilities.size == classes.size) {
            "probabilities must have ${classes.size} values, one per class. Received: ${probabilities.size}. " +
                "Create ActionDecoder with the classes of the model's contract."
        }
        val isFirst = timeS.isNaN()
        val seconds = if (isFirst) 0.0 else nowS - timeS
        timeS = nowS
        val keep = exp(-seconds / FADING_S)
        val weight = if (isFirst) FIRST_S else min(seconds, LONGEST_S)
        for (i in classes.indices) {
            sumsS[i] = keep * sumsS[i] + weight * probabilities[i]
            if (sumsS[i] < FAINT * FADING_S) signsS[i] = nowS - LAG_S
        }
        label = classes[sumsS.indices.maxBy { sumsS[it] }]
        return label
    }

    /** Decayed sum of an action's probability, relative to the steady-state sum at probability 1: 0..1. */
    internal fun confidence(action: String): Double = sumsS[classes.indexOf(action)] / FADING_S

    /** Time in seconds at which the current evidence for an action began. */
    internal fun beginsS(action: String): Double = signsS[classes.indexOf(action)]

    internal companion object {
        /** A decision describes the seconds before it: an action that first appears in it began this long ago. */
        const val LAG_S = 2.0

        // Time constant of the decay, and the share of the steady-state sum below which an action has no evidence.
        private const val FADING_S = 5.0
        private const val FAINT = 0.1

        // Weight of the first decision, small enough for the second to outweigh it, and largest weight of any other.
        private const val FIRST_S = 0.1
        private const val LONGEST_S = 1.0
    }
}
