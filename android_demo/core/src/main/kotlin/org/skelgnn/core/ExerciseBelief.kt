package org.skelgnn.core

import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow

/**
 * Probabilities of the classes of an action model now, given all of its decisions so far: a single wrong decision does
 * not change them much. Mirrors `skelgnn_tf.motion.exercise_decision.ExerciseBelief`.
 *
 * @property numClasses Number of classes.
 */
class ExerciseBelief(private val numClasses: Int) {
    private var now = DoubleArray(numClasses) { 1.0 / numClasses }
    private var timeS = Double.NaN

    /**
     * Adds a decision.
     *
     * @param probabilities One value per class.
     * @param nowS Time of the decision in seconds, later than the previous one.
     * @return The probabilities of the classes now.
     */
    fun push(probabilities: FloatArray, nowS: Double): DoubleArray =
        push(DoubleArray(probabilities.size) { probabilities[it].toDouble() }, nowS)

    /** Same as above, in double precision. */
    internal fun push(probabilities: DoubleArray, nowS: Double): DoubleArray {
        ExerciseDecision.requireOnePerClass(probabilities.size, numClasses)
        val seconds = if (timeS.isNaN()) FIRST_S else min(nowS - timeS, EVIDENCE_S)
        timeS = nowS
        val stays = exp(-seconds / STAYS_S)
        val leaves = (1 - stays) * now.average()
        val joint = DoubleArray(numClasses) {
            (stays * now[it] + leaves) * max(probabilities[it], LEAST).pow(seconds / EVIDENCE_S)
        }
        val sum = joint.sum()
        now = DoubleArray(numClasses) { joint[it] / sum }
        return now.copyOf()
    }

    // The same values as in skelgnn_tf.motion.exercise_decision, which explains them; a test compares them.
    internal companion object {
        const val STAYS_S = 20.0
        const val EVIDENCE_S = 1.2
        const val LEAST = 0.02
        private const val FIRST_S = 0.25
    }
}
