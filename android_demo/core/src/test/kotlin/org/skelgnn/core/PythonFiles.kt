package org.skelgnn.core

import java.io.File
import kotlin.math.abs
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue

/** Reads a file written by android_demo/golden.py with results of the Python package; skips the test without it. */
internal fun fromPython(name: String): Json = Json.parse(textFromPython(name), name)

internal fun textFromPython(name: String): String {
    val file = File(System.getProperty("golden", "golden"), name)
    assumeTrue(file.isFile, "$file is missing. Write it with python android_demo/golden.py ${file.parent}.")
    return file.readText()
}

/** Numbers from Python, which writes -1e9 for NaN. */
internal fun Json.numbers(): List<Double> = doubles().map { if (it < -1e8) Double.NaN else it }

/** Poses from Python. */
internal fun Json.poses(): List<DoubleArray> = items.map { it.numbers().toDoubleArray() }

internal fun skeleton(json: Json) = Skeleton(json["name"].string, json["joints"].strings, json["parents"].ints)

private const val TOLERANCE = 1e-4

/** Asserts that values agree to 1e-4; NaN only equals NaN. */
internal fun assertClose(expected: List<Number>, given: List<Number>, what: String) {
    assertEquals(expected.size, given.size, "$what: number of values")
    expected.indices.forEach { i ->
        val isClose = abs(expected[i].toDouble() - given[i].toDouble()) <= TOLERANCE
        val bothMissing = expected[i].toDouble().isNaN() && given[i].toDouble().isNaN()
        assertTrue(isClose || bothMissing, "$what[$i]: expected ${expected[i]}, given ${given[i]}")
    }
}
