package org.skelgnn.core

/** Measures repetitions in the poses of the last minutes. Mirrors `skelgnn_tf.motion.form`. */
class FormMeter(skeleton: Skeleton) {
    private val angles = JointAngles(skeleton)
    private val recent = ArrayDeque<Frame>()
    private var names = emptyList<String>()

    // Time of the newest frame that has been removed.
    private var removedS = Double.NEGATIVE_INFINITY

    private class Frame(val timeS: Double, val anglesDeg: DoubleArray)

    /** Adds a frame. @param jointsM joints x 3 in meters, filtered; NaN where a joint is not seen. */
    fun push(jointsM: DoubleArray, nowS: Double) {
        val all = angles.of(jointsM)
        names = all.keys.toList()
        recent += Frame(nowS, all.values.toDoubleArray())
        while (recent.first().timeS < nowS - KEPT_S) removedS = recent.removeFirst().timeS
    }

    /** Measures a repetition that has ended, or a position that is held. Angles are known for the last two minutes. */
    fun of(repetition: Repetition): RepetitionForm {
        val timesS = repetition.startS - ROUNDING_S..repetition.endS + ROUNDING_S
        val during = if (removedS < timesS.start) recent.filter { it.timeS in timesS } else emptyList()
        val sides = moving(TARGETS.getValue(repetition.exercise).angle, during)
        val asymmetryDeg = if (sides.size == 2) sides.first().max() - sides.last().max() else null
        if (repetition.exercise in HOLDS) {
            return RepetitionForm(repetition, null, asymmetryDeg, holdS = repetition.endS - repetition.startS)
        }
        if (sides.isEmpty()) return RepetitionForm(repetition)
        val depthDeg = DoubleArray(during.size) { frame -> sides.sumOf { it[frame] } / sides.size }
        val (fromS, untilS) = held(depthDeg, during, repetition)
        return RepetitionForm(
            repetition,
            depthDeg.max(),
            asymmetryDeg,
            thereS = fromS - repetition.startS,
            holdS = untilS - fromS,
            backS = repetition.endS - untilS,
        )
    }

    /** The sides of an angle that are seen in all frames and take part: their degrees in each frame. */
    private fun moving(angle: String, during: List<Frame>): List<DoubleArray> {
        val seen = (SIDES.map { "${it}_$angle" } + angle).filter { it in names }.map { name ->
            val index = names.indexOf(name)
            DoubleArray(during.size) { during[it].anglesDeg[index] }
        }.filter { side -> side.isNotEmpty() && side.all { it.isFinite() } }
        // With less than half of the other side's range, a side does not take part, as in a curl with one arm.
        return seen.filter { range(it) >= MOVES * seen.maxOf(::range) }
    }

    /** When the angle of depth is first and last near its maximum. */
    private fun held(depthDeg: DoubleArray, during: List<Frame>, repetition: Repetition): Pair<Double, Double> {
        val level = depthDeg.max() - HELD * range(depthDeg)
        val first = depthDeg.indexOfFirst { it >= level }
        val last = depthDeg.indexOfLast { it >= level }
        // The time between a frame and the next at which the angle crosses the level.
        fun crossedS(before: Int): Double {
            val share = (level - depthDeg[before]) / (depthDeg[before + 1] - depthDeg[before])
            return during[before].timeS + share * (during[before + 1].timeS - during[before].timeS)
        }
        val fromS = if (first == 0) repetition.startS else crossedS(first - 1)
        val untilS = if (last == depthDeg.lastIndex) repetition.endS else crossedS(last)
        return fromS to untilS
    }

    private fun range(values: DoubleArray) = values.max() - values.min()

    // The same values as in skelgnn_tf.motion.form, which explains them; a test compares those with a name there.
    internal companion object {
        const val HELD = 0.05
        const val MOVES = 0.5

        // Twice the time for which a plank should be held.
        const val KEPT_S = 120.0
        private const val ROUNDING_S = 1e-9
    }
}
