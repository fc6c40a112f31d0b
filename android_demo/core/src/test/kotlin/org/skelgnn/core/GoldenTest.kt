package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertEquals

class GoldenTest {
    private val golden = Golden.parse(
        """{"cases": [
            {"inputs": {"keypoints": [[[[1, 2, 3]]]], "image_size": [[4, 5]]}, "outputs": {"pose_m": [[[[2, 4, 6]]]]}},
            {"inputs": {"keypoints": [[[[0, 0, 0]]]], "image_size": [[4, 5]]}, "outputs": {"pose_m": [[[[0, 0, 0.5]]]]}}
        ]}""",
    )

    private fun difference(run: (FloatArray) -> FloatArray) =
        golden.difference { _, inputs -> mapOf("pose_m" to run(inputs.getValue("keypoints"))) }

    @Test
    fun `the difference is the largest of all cases`() =
        assertEquals(0.5f, difference { keypoints -> keypoints.map { 2 * it }.toFloatArray() })

    @Test
    fun `the difference is infinite for NaN and for a wrong shape`() {
        assertEquals(Float.POSITIVE_INFINITY, difference { floatArrayOf(2f, Float.NaN, 6f) })
        assertEquals(Float.POSITIVE_INFINITY, difference { floatArrayOf(2f) })
    }
}
