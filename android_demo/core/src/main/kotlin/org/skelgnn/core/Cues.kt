package org.skelgnn.core

/** A short piece of advice for the person in front of the camera. */
sealed interface Cue {
    /**
     * The exercise cannot be recognized or counted because these [parts] of the body are not seen, such as "arms" or
     * "legs".
     */
    data class NotVisible(val parts: List<String>) : Cue

    /** The person has done as many repetitions as intended. */
    data object TargetReached : Cue

    /** The last repetition rose much less than the others and does not count. */
    data object Partial : Cue

    /** The last repetition was less deep than it should be. */
    data class Depth(val depthDeg: Int, val targetDeg: Int) : Cue

    /** In the last repetition one side, "left" or "right", has done less than the other: by more than [mostDeg]. */
    data class Uneven(val lower: String, val differenceDeg: Int, val mostDeg: Int) : Cue

    /** A position, such as a plank, has been held for [heldS] seconds, in tenths; it should be held for [targetS]. */
    data class Held(val heldS: Double, val targetS: Int) : Cue
}

/**
 * Tells a person what to change, frame by frame.
 *
 * @param skeleton Skeleton of the poses.
 */
class Cues(private val skeleton: Skeleton) {
    /**
     * Returns the cues for a frame, the most urgent first.
     *
     * @param jointsM joints x 3, in the skeleton's order; NaN where a joint is not seen.
     * @param repetitions State of the counter after this frame.
     * @param target Intended number of repetitions; null if there is none.
     * @param last Form of the last repetition, or of the position that is held now; null to say nothing about it. A
     *   repetition of another exercise is left out.
     */
    fun of(
        jointsM: DoubleArray,
        repetitions: Repetitions,
        target: Int? = null,
        last: RepetitionForm? = null,
    ): List<Cue> = buildList {
        val unseen = BooleanArray(skeleton.joints.size) { !jointsM.joint(it).isFinite }
        val lost = lost(unseen, repetitions.exercise)
        val parts = unseenParts(unseen, skeleton).filter { part -> part.joints.any { it in lost } }
        if (parts.isNotEmpty()) add(Cue.NotVisible(parts.map { it.name }))
        if (target != null && repetitions.count >= target) add(Cue.TargetReached)
        if (last != null && last.repetition.exercise in HOLDS + repetitions.exercise) addAll(last.cues)
    }

    /** The unseen joints that an exercise needs, of any exercise while it is unknown. One seen side is enough. */
    private fun lost(unseen: BooleanArray, exercise: String?): Set<String> =
        (if (exercise == null) NEEDS.keys else setOf(exercise)).flatMap { neededJoints(it) }
            .filter { (left, right) -> unseen[skeleton.index(left)] && unseen[skeleton.index(right)] }
            .flatMap { it.toList() }.toSet()
}
