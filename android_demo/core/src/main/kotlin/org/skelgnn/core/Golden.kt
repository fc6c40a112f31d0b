package org.skelgnn.core

import kotlin.math.abs

/**
 * Inputs of a model and the outputs that Python computes for them (`golden.json`). An app uses them to verify that the
 * model gives the same results on the phone.
 */
class Golden private constructor(private val cases: List<Case>) {
    private class Case(val inputs: Map<String, FloatArray>, val outputs: Map<String, FloatArray>)

    /** Returns the largest absolute difference in any output, in the output's units; infinite if there is a NaN. */
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
        /** @throws IllegalArgumentException If the text is not valid JSON or a key is missing; the message names it. */
        fun parse(text: String): Golden = Golden(
            Json.parse(text, "golden.json")["cases"].items.map { Case(arrays(it["inputs"]), arrays(it["outputs"])) },
        )

        private fun arrays(json: Json): Map<String, FloatArray> = json.fields.mapValues { (_, it) -> it.flatten() }
    }
}
