package org.skelgnn.core

/**
 * Finds the joints that are not seen: a joint that is missing for a few frames is estimated from the frames before, but
 * one that is outside the image or hidden for long would be invented. Mirrors `VisibilityTracker` in
 * `skelgnn_tf.motion`.
 */
class VisibilityTracker {
    private var seenS = DoubleArray(0)

    /** Forgets all frames. */
    fun reset() {
        seenS = DoubleArray(0)
    }

    /**
     * Adds a frame.
     *
     * @param confidence One value per joint; 0 if the joint is missing.
     * @param nowS Time of the frame in seconds.
     * @return For each joint, whether it is unseen: it was never seen, or not for longer than [GAP_S].
     */
    fun push(confidence: FloatArray, nowS: Double): BooleanArray {
        if (seenS.isEmpty()) seenS = DoubleArray(confidence.size) { Double.NEGATIVE_INFINITY }
        confidence.forEachIndexed { joint, one -> if (one > 0) seenS[joint] = nowS }
        return BooleanArray(confidence.size) { nowS - seenS[it] > GAP_S + ROUNDING_S }
    }

    private companion object {
        const val ROUNDING_S = 1e-6
    }
}

/**
 * A part of the body that is not seen.
 *
 * @property name Name such as "head", "left arm", "hands" or "legs".
 * @property joints Names of its joints that are not seen.
 */
data class UnseenPart(val name: String, val joints: Set<String>)

/**
 * Returns the parts of the body that are not seen in a frame, from head to feet. A hand or a foot that is lost with its
 * limb is not named. Mirrors `skelgnn_tf.motion.unseen_parts` for one frame.
 *
 * @param unseen For each joint, whether it is unseen.
 */
fun unseenParts(unseen: BooleanArray, skeleton: Skeleton): List<UnseenPart> = buildList {
    val lost = skeleton.joints.filterIndexed { joint, _ -> unseen[joint] }.toSet()
    if (HEAD.firstOrNull { it in skeleton.joints } in lost) add(UnseenPart("head", (HEAD + "neck") intersect lost))
    for (pair in PAIRS) {
        val sides = SIDES.filter { "${it}_${pair.joints.first()}" in lost }
        if (sides.isEmpty() || SIDES.any { "${it}_${pair.limb}" in lost }) continue
        val name = if (sides.size > 1) pair.both else "${sides.single()} ${pair.one}"
        add(UnseenPart(name, SIDES.flatMap { side -> pair.joints.map { "${side}_$it" } } intersect lost))
    }
}

/** A part on either side: the joint that shows it, those that are lost with it, and the limb that it belongs to. */
private class Sides(val one: String, val both: String, val joints: List<String>, val limb: String? = null)

// The first of these that the skeleton has shows the head.
private val HEAD = listOf("head", "nose")

private val PAIRS = listOf(
    Sides("shoulder", "shoulders", listOf("shoulder")),
    Sides("arm", "arms", listOf("elbow", "wrist")),
    Sides("hand", "hands", listOf("wrist"), limb = "elbow"),
    Sides("hip", "hips", listOf("hip")),
    Sides("leg", "legs", listOf("knee", "ankle")),
    Sides("foot", "feet", listOf("ankle"), limb = "knee"),
)
