package org.skelgnn.core

/** Rules by which the decisions of an action model are used. Mirrors `skelgnn_tf.motion.exercise_decision`. */
internal object ExerciseDecision {
    /** Returns the decision of a model with other motion as likely as [OTHER_PRIOR] says. */
    fun withPrior(probabilities: FloatArray, classes: List<String>): DoubleArray {
        requireOnePerClass(probabilities.size, classes.size)
        val weighted = DoubleArray(classes.size) {
            probabilities[it] * if (classes[it] == "other") OTHER_PRIOR else 1.0
        }
        return normalized(weighted, weighted.sum())
    }

    /** Returns a decision where some classes cannot be. It is unchanged where no other class is possible. */
    fun excluding(probabilities: DoubleArray, excluded: List<Boolean>): DoubleArray {
        val left = DoubleArray(probabilities.size) { if (excluded[it]) 0.0 else probabilities[it] }
        val total = left.sum()
        return if (total > TINY) normalized(left, total) else probabilities
    }

    /** Whether a decision rules out that somebody does an exercise. */
    fun isIdle(probabilities: DoubleArray, classes: List<String>, exercise: String): Boolean {
        val idle = classes.indices.filter { classes[it] in IDLE }.sumOf { probabilities[it] }
        val own = classes.indexOf(exercise).let { if (it < 0) 1.0 else probabilities[it] }
        return own * IDLE_ODDS < idle
    }

    /** Throws an error unless there is one probability per class. */
    fun requireOnePerClass(given: Int, numClasses: Int) {
        require(given == numClasses) {
            "probabilities must have $numClasses values, one per class. Received: $given. " +
                "Pass the classes of the model's contract."
        }
    }

    private fun normalized(weights: DoubleArray, sum: Double) = DoubleArray(weights.size) { weights[it] / sum }

    // The same values as in skelgnn_tf.motion.exercise_decision, which explains them; a test compares them.
    val IDLE = listOf("rest", "other")
    const val DECISION_LAG_S = 2.0
    const val SURE = 0.5
    const val CLEAR = 0.6
    const val BEYOND_S = 1.5
    const val OTHER_PRIOR = 0.07
    const val IDLE_ODDS = 10.0
    const val TINY = 1e-6
}
