package org.skelgnn.core

import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min
import org.skelgnn.core.ExerciseDecision.BEYOND_S
import org.skelgnn.core.ExerciseDecision.CLEAR
import org.skelgnn.core.ExerciseDecision.DECISION_LAG_S
import org.skelgnn.core.ExerciseDecision.SURE

/**
 * Counts the repetitions of a given exercise, or of the exercise that an action model recognizes. Mirrors
 * `skelgnn_tf.motion.RepetitionCounter`.
 *
 * All exercises are counted from the start, each from its own signal, so that repetitions made before the exercise is
 * recognized are included. Plank, rest and classes without a signal have a count of 0. During a rest the exercise and
 * its count stay until another one has repetitions; the count continues when the exercise is resumed. A movement is
 * counted for one exercise only, and only if the body can be doing that exercise ([BOUNDS]); a movement that cannot be
 * a repetition speaks against its exercise for as long again as it lasted.
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

    private val signals = ExerciseSignals(skeleton)
    private val seenEnough = SeenEnough(skeleton)
    private val cycles = ExerciseCycles(exercise?.let { listOf(it) } ?: classes.filter { it in MOVEMENTS })
    private val belief = ExerciseBelief(classes.size)
    private val spans = listOfNotNull(exercise).map { Span(it, ALWAYS) }.toMutableList()

    // For each class: since when the decisions show signs of it, and how certain it is.
    private val beginsS = DoubleArray(classes.size) { Double.NEGATIVE_INFINITY }
    private var certainty = DoubleArray(classes.size)

    // Until when the cycles that are not repetitions speak against each exercise.
    private val doubtedUntilS = mutableMapOf<String, Double>()

    // Recent probabilities of the classes, for the veto on a given exercise; null before the first decision.
    private var recent: DoubleArray? = null

    // Repetitions by number of the span, until a cycle ends or the action model decides.
    private val known = mutableMapOf<Int, List<Repetition>>()

    // For each exercise: in how much of the last seconds enough of the body was seen, 0..1.
    private val seen = mutableMapOf<String, Double>()

    // The class that is certain, and the exercise that is shown: during a rest it stays until another has repetitions.
    private var certain = exercise
    private var shown = exercise
    private var timeS = Double.NEGATIVE_INFINITY
    private var firstS = Double.NaN

    /** All repetitions so far, in the order of time. */
    val repetitions: List<Repetition> get() = spans.indices.flatMap { found(it) }.sortedBy { it.endS }

    /** The position that is held now, such as a plank, from its start to the last frame; null if there is none. */
    val held: Repetition?
        get() = spans.lastOrNull()?.takeIf { it.exercise in HOLDS }?.let {
            // A span begins a little early, so that it holds the first repetition.
            val startS = max(it.timeS.start + BEYOND_S, firstS)
            Repetition(it.exercise, startS, topS = startS, endS = timeS, isComplete = true)
        }

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
        if (firstS.isNaN()) firstS = nowS
        seenEnough.of(jointsM).forEach { (name, isSeen) ->
            val before = seen[name] ?: 1.0
            seen[name] = before + share * ((if (isSeen) 1.0 else 0.0) - before)
        }
        veto(cycles.push(signals.of(jointsM), nowS))
        doubt()
        if (probabilities != null && classes.isNotEmpty()) {
            val weighted = ExerciseDecision.withPrior(probabilities, classes)
            val excluded = classes.map { nowS < (doubtedUntilS[it] ?: Double.NEGATIVE_INFINITY) }
            decide(belief.push(ExerciseDecision.excluding(weighted, excluded), nowS), nowS)
            val before = recent ?: weighted
            recent = DoubleArray(classes.size) { before[it] + RECENT * (weighted[it] - before[it]) }
        }
        return state()
    }

    /** Ends the recording: a last repetition that is all but over counts. */
    fun finish(): Repetitions {
        veto(cycles.finish())
        return state()
    }

    /** A given exercise does not count while nobody exercises. */
    private fun veto(ended: List<String>) {
        if (ended.isNotEmpty()) known.clear()
        val decided = recent ?: return
        if (exercise == null || !ExerciseDecision.isIdle(decided, classes, exercise)) return
        ended.map { cycles.cycles.getValue(it) }.forEach { it.removeAt(it.lastIndex) }
    }

    /** Movements that cannot be repetitions speak against their exercises. */
    private fun doubt() {
        for ((name, doubtful) in cycles.doubtful) {
            for (cycle in doubtful) {
                val untilS = timeS + cycle.endS - cycle.startS
                doubtedUntilS[name] = max(doubtedUntilS[name] ?: untilS, untilS)
            }
            doubtful.clear()
        }
    }

    private fun state(): Repetitions {
        if (certain != shown && (count(shown) == 0 || found(spans.lastIndex).isNotEmpty())) shown = certain
        val name = shown
        if (name == null || (exercise == null && (seen[name] ?: 1.0) < SEEN)) return UNKNOWN
        return Repetitions(count(name), name, cycles.counters[name]?.phase ?: 0.0)
    }

    /** Complete repetitions of an exercise in all of its spans. */
    private fun count(name: String?): Int =
        spans.indices.filter { spans[it].exercise == name }.flatMap { found(it) }.count { it.isComplete }

    /** Takes the probabilities of now; begins a span where another class is certain. */
    private fun decide(now: DoubleArray, nowS: Double) {
        certainty = now
        known.clear()
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
    private fun found(number: Int): List<Repetition> = known.getOrPut(number) {
        val span = spans[number]
        val found = repetitionsOf(span.exercise, cycles.within(span))
        val isRunning = exercise == null && number == spans.lastIndex
        val isClear = !isRunning || certainty[classes.indexOf(span.exercise)] >= CLEAR
        if (found.size > 1 || isClear) found else emptyList()
    }

    companion object {
        /** Exercises whose repetitions can be counted. */
        val EXERCISES: Set<String> get() = MOVEMENTS.keys

        private val ALWAYS = Double.NEGATIVE_INFINITY..Double.POSITIVE_INFINITY
        private val UNKNOWN = Repetitions(0, null, 0.0)

        // The same values as in skelgnn_tf.motion.repetitions, which explains them; a test compares them.
        internal const val FAINT = 0.1
        internal const val SEEN = 0.5
        internal const val RECENT = 0.15
    }
}
