package org.skelgnn.core

import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min

/**
 * Counts the repetitions of a given exercise, or of the exercise that an action model recognizes. Mirrors
 * `skelgnn_tf.motion.RepetitionCounter`.
 *
 * All exercises are counted from the start, each from its own signal, so that repetitions made before the exercise is
 * recognized are included. Plank, rest and classes without a signal have a count of 0. During a rest the exercise and
 * its count stay until another one has repetitions; the count continues when the exercise is resumed. A movement is
 * counted for one exercise only, in a posture of that exercise.
 *
 * @param classes Classes of the action model's contract; empty without an action model.
 * @param exercise Exercise to count, one of [EXERCISES]; null to count the recognized one. If both are given, the
 *   action model only prevents counting while it finds that nobody exercises.
 */
class RepetitionCounter(skeleton: Skeleton, private val classes: List<String>, private val exercise: String? = null) {
    /** Counts one exercise without an action model. @param exercise One of [EXERCISES]. */
    constructor(skeleton: Skeleton, exercise: String) : this(skeleton, emptyList(), exercise)

    init {
        require(exercise == null || exercise in MOVEMENTS) {
            "exercise must be one of ${EXERCISES.joinToString()}. Received: $exercise."
        }
        require(exercise != null || classes.isNotEmpty()) {
            "classes must not be empty without an exercise. Received: neither. " +
                "Pass the classes of the model's contract, or an exercise."
        }
    }

    /** A time in which an exercise is done, in seconds. */
    private data class Span(val exercise: String, val timeS: ClosedFloatingPointRange<Double>)

    private val signals = ExerciseSignals(skeleton)
    private val seenEnough = SeenEnough(skeleton)
    private val cycles = PosedCycles(exercise?.let { listOf(it) } ?: classes.filter { it in MOVEMENTS })
    private val belief = ExerciseBelief(classes.size)
    private val spans = listOfNotNull(exercise).map { Span(it, ALWAYS) }.toMutableList()

    // For each class: since when the decisions show signs of it, and how certain it is.
    private val beginsS = DoubleArray(classes.size) { Double.NEGATIVE_INFINITY }
    private var certainty = DoubleArray(classes.size)

    // Recent probabilities of the classes, for the veto on a given exercise; null before the first decision.
    private var recent: List<Double>? = null

    // For each exercise: in how much of the last seconds enough of the body was seen, 0..1.
    private val seen = mutableMapOf<String, Double>()

    // The class that is certain, and the exercise that is shown: during a rest it stays until another has repetitions.
    private var certain = exercise
    private var shown = exercise
    private var timeS = Double.NEGATIVE_INFINITY

    /** All repetitions so far, in the order of time. */
    val repetitions: List<Repetition> get() = spans.indices.flatMap { found(it) }.sortedBy { it.endS }

    /**
     * Adds a frame.
     *
     * @param jointsM joints x 3, in the skeleton's order, in meters. Pass unfiltered poses, because the counter smooths
     *   its signals; NaN where a joint is not seen.
     * @param nowS Time of the frame in seconds, later than the previous one.
     * @param probabilities Output of the action model if there is a new one for this frame, otherwise null.
     * @return The exercise, its count and its phase.
     */
    fun push(jointsM: DoubleArray, nowS: Double, probabilities: FloatArray? = null): Repetitions {
        require(nowS > timeS) {
            "nowS must be later than the previous $timeS s. Received: $nowS s. Use the camera's timestamps."
        }
        val share = 1 - exp(-min(nowS - timeS, DECISION_LAG_S) / DECISION_LAG_S)
        timeS = nowS
        seenEnough.of(jointsM).forEach { (name, isSeen) ->
            val before = seen[name] ?: 1.0
            seen[name] = before + share * ((if (isSeen) 1.0 else 0.0) - before)
        }
        veto(cycles.push(signals.of(jointsM), nowS))
        if (probabilities != null && classes.isNotEmpty()) {
            val weighted = withPrior(probabilities)
            decide(belief.push(weighted, nowS), nowS)
            val new = weighted.map { it.toDouble() }
            recent = recent?.zip(new) { before, now -> before + RECENT * (now - before) } ?: new
        }
        return state()
    }

    /** Ends the recording: a last repetition that is all but over counts. */
    fun finish(): Repetitions {
        veto(cycles.finish())
        return state()
    }

    /** The decisions of the model with other motion as likely as [OTHER_PRIOR] says. */
    private fun withPrior(probabilities: FloatArray): FloatArray {
        if (probabilities.size != classes.size) return probabilities
        val weighted = DoubleArray(classes.size) {
            probabilities[it] * if (classes[it] == "other") OTHER_PRIOR else 1.0
        }
        val sum = weighted.sum()
        return FloatArray(classes.size) { (weighted[it] / sum).toFloat() }
    }

    /** A given exercise does not count while nobody exercises. */
    private fun veto(ended: List<String>) {
        if (exercise != null && isIdle(exercise)) ended.forEach { cycles.dropLast(it) }
    }

    /** Whether the recent decisions rule out that somebody does an exercise. */
    private fun isIdle(exercise: String): Boolean {
        val byClass = classes.zip(recent ?: return false).toMap()
        return (byClass[exercise] ?: 1.0) * IDLE_ODDS < IDLE_CLASSES.sumOf { byClass[it] ?: 0.0 }
    }

    private fun state(): Repetitions {
        if (certain != shown && (count(shown) == 0 || found(spans.lastIndex).isNotEmpty())) shown = certain
        val name = shown
        if (name == null || (exercise == null && (seen[name] ?: 1.0) < PosedCycles.POSED)) return UNKNOWN
        return Repetitions(count(name), name, if (name in cycles) cycles.phase(name) else 0.0)
    }

    /** Complete repetitions of an exercise in all of its spans. */
    private fun count(name: String?): Int =
        spans.indices.filter { spans[it].exercise == name }.flatMap { found(it) }.count { it.isComplete }

    /** Takes the probabilities of now; begins a span where another class is certain. */
    private fun decide(now: DoubleArray, nowS: Double) {
        certainty = now
        now.indices.filter { now[it] < FAINT }.forEach { beginsS[it] = nowS - DECISION_LAG_S }
        val label = now.indices.maxBy { now[it] }
        if (exercise != null || classes[label] == certain || now[label] < SURE) return
        certain = classes[label]
        var fromS = beginsS[label] - BEYOND_S
        spans.lastOrNull()?.let { last ->
            fromS = max(fromS, last.timeS.start)
            // What was counted since then was the beginning of another exercise; a rest takes nothing away.
            val untilS = if (classes[label] in cycles) fromS else max(fromS + 2 * BEYOND_S, last.timeS.start)
            spans[spans.lastIndex] = last.copy(timeS = last.timeS.start..untilS)
        }
        spans += Span(classes[label], fromS..Double.POSITIVE_INFINITY)
    }

    /** The repetitions of a span. */
    private fun found(number: Int): List<Repetition> {
        val span = spans[number]
        val inside = cycles.within(span.exercise, span.timeS)
        val isRunning = exercise == null && number == spans.lastIndex
        if (inside.size <= 1 && isRunning && certainty[classes.indexOf(span.exercise)] < CLEAR) return emptyList()
        val least = ALIKE_RISE * median(inside.map { it.rise })
        return inside.map { Repetition(span.exercise, it.startS, it.topS, it.endS, it.rise >= least) }
    }

    private fun median(values: List<Double>): Double {
        if (values.isEmpty()) return 0.0
        val sorted = values.sorted()
        return (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2
    }

    companion object {
        /** Exercises whose repetitions can be counted. */
        val EXERCISES: Set<String> get() = MOVEMENTS.keys

        private val ALWAYS = Double.NEGATIVE_INFINITY..Double.POSITIVE_INFINITY
        private val UNKNOWN = Repetitions(0, null, 0.0)

        // The same values as in skelgnn_tf.motion.repetitions, which explains them; a test compares them.
        internal val IDLE_CLASSES = listOf("rest", "other")
        internal const val DECISION_LAG_S = 2.0
        internal const val SURE = 0.5
        internal const val FAINT = 0.1
        internal const val CLEAR = 0.6
        internal const val ALIKE_RISE = 0.4
        internal const val OTHER_PRIOR = 0.5
        internal const val IDLE_ODDS = 10.0
        internal const val RECENT = 0.15
        internal const val BEYOND_S = 1.5
    }
}
