package org.skelgnn.core

import kotlin.math.abs

/**
 * Inputs of a model with the outputs that Python got for them (`golden.json`), so that an app can prove on the very
 * phone that its runtime computes the same.
 */
class Golden private constructor(private val cases: List<Case>) {
    private class Case(val inputs: Map<String, FloatArray>, val outputs: Map<String, FloatArray>)

    /** Largest difference of any number of any output, in the outputs' units; NaN counts as infinite. */
    fun difference(runner: Runner): Float = cases.maxOf { case ->
        val given = runner.run(ModelContract.WINDOW, case.inputs)
        case.outputs.maxOf { (name, expected) -> difference(expected, given.getValue(name)) }
    }

    private fun difference(expected: FloatArray, given: FloatArray): Float {
        if (given.size != expected.size) return Float.POSITIVE_INFINITY
        return expected.indices.maxOf { i ->
            abs(expected[i] - given[i]).let { if (it.isNaN()) Float.POSITIVE_INFINITY else it }
        }
    }

    companion object {
        /** @throws IllegalArgumentException It is no JSON or lacks something; says what and where. */
        fun parse(text: String): Golden = Golden(
            Json.parse(text, "golden.json")["cases"].items.map { Case(arrays(it["inputs"]), arrays(it["outputs"])) },
        )

        private fun arrays(json: Json): Map<String, FloatArray> = json.fields.mapValues { (_, it) -> it.flatten() }
    }
}
