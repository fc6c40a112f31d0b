package org.skelgnn.core

import java.io.File
import kotlin.math.abs
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue

/** A file that android_demo/golden.py wrote from what the Python package computes; a test without it is skipped. */
internal fun fromPython(name: String): Json = Json.parse(textFromPython(name), name)

internal fun textFromPython(name: String): String {
    val file = File(System.getProperty("golden", "golden"), name)
    assumeTrue(file.isFile, "$file is not there; write it with python android_demo/golden.py ${file.parent}")
    return file.readText()
}

private const val TOLERANCE = 1e-4

/** Equal to 1e-4; NaN to NaN alone. */
internal fun assertClose(expected: List<Number>, given: List<Number>, what: String) {
    assertEquals(expected.size, given.size, "$what: number of values")
    expected.zip(given).forEachIndexed { i, (wanted, found) ->
        val isClose = abs(wanted.toDouble() - found.toDouble()) <= TOLERANCE
        val bothMissing = wanted.toDouble().isNaN() && found.toDouble().isNaN()
        assertTrue(isClose || bothMissing, "$what[$i]: expected $wanted, given $found")
    }
}
