package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals

class VisibilityTest {
    private fun names(vararg unseen: String): List<String> {
        val joints = listOf("hip", "nose") + unseen
        val skeleton = Skeleton("some", joints, List(joints.size) { if (it == 0) -1 else 0 })
        return unseenParts(BooleanArray(joints.size) { joints[it] in unseen }, skeleton).map { it.name }
    }

    @Test
    fun `unseen joints and parts equal Python's`() {
        val golden = fromPython("visibility.json")
        val skeleton = skeleton(golden["skeleton"])
        val tracker = VisibilityTracker()
        for ((i, timeS) in golden["times_s"].doubles().withIndex()) {
            val unseen = tracker.push(golden["confidence"].items[i].flatten(), timeS)
            assertEquals(golden["unseen"].items[i].ints, unseen.map { if (it) 1 else 0 }, "frame $i")
            val parts = unseenParts(unseen, skeleton)
            assertEquals(golden["parts"].items[i].strings, parts.map { it.name }, "frame $i")
        }
    }

    @Test
    fun `a hand or a foot is a part only if its limb is seen`() {
        assertEquals(listOf("left foot"), names("left_ankle"))
        assertEquals(listOf("left leg"), names("left_ankle", "left_knee"))
        assertEquals(listOf("right arm", "left foot"), names("right_elbow", "right_wrist", "left_ankle"))
        assertEquals(listOf("legs"), names("left_ankle", "left_knee", "right_ankle", "right_knee"))
    }

    @Test
    fun `after a reset every joint is unseen`() {
        val tracker = VisibilityTracker()
        assertEquals(listOf(false, true), tracker.push(floatArrayOf(1f, 0f), 0.0).toList())
        tracker.reset()
        assertEquals(listOf(true, false), tracker.push(floatArrayOf(0f, 1f), 0.1).toList())
    }
}
