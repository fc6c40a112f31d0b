package org.skelgnn.core

import kotlin.math.exp
import kotlin.math.min

/**
 * A recogniser's probabilities to a label that does not flicker: the class of the largest sum of probabilities over
 * time, in which the past fades. The twin of what `skelgnn_tf/motion/repetitions.py` decides by.
 *
 * @property classes Names, in the order of the probabilities.
 */
class ActionDecoder(private val classes: List<String>) {
    private val sumsS = DoubleArray(classes.size)
    private val signsS = DoubleArray(classes.size) { Double.NEGATIVE_INFINITY }
    private var timeS = Double.NaN

    /** The action that goes on, null before the first decision. */
    var label: String? = null
        private set

    /**
     * Takes the next decision.
     *
     * @param probabilities One for each class.
     * @param nowS When it fell, later than the last one.
     * @return [label].
     */
    fun push(probabilities: FloatArray, nowS: Double): String? {
        require(probabilities.size == classes.size) {
            "ActionDecoder wants probabilities of its ${classes.size} classes; got ${probabilities.size}"
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

    /** Probability times seconds of an action, faded, as a part of what a sure one's comes to: 0..1. */
    internal fun sureness(action: String): Double = sumsS[classes.indexOf(action)] / FADING_S

    /** Since when there have been signs of an action, in seconds. */
    internal fun beginsS(action: String): Double = signsS[classes.indexOf(action)]

    internal companion object {
        /** A decision tells of the seconds before it: what it sees for the first time began so long ago. */
        const val LAG_S = 2.0

        // Seconds in which decisions fade, and the part of a sure action's sum under which there are no signs of one.
        private const val FADING_S = 5.0
        private const val FAINT = 0.1

        // For how long the first decision counts, which the second one outweighs, and any other at most.
        private const val FIRST_S = 0.1
        private const val LONGEST_S = 1.0
    }
}
