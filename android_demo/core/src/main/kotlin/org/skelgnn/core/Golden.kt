package org.skelgnn.core

import kotlin.math.abs

/**
 * Inputs of a model and the outputs that Python computes for them (`golden.json`). An app uses them to verify that the
 * model gives the same results on the phone.
 *
 * @property cases Windows and their outputs.
 * @property steps Outputs for the frames of the windows one by one, by the signature `step`, as far as they are known.
 */
class Golden private constructor(private val cases: List<Case>, private val steps: List<Map<String, FloatArray>>) {
    private class Case(val inputs: Map<String, FloatArray>, val outputs: Map<String, FloatArray>)

    /**
     * Returns the largest absolute difference in any output, in the output's units; infinite if there is a NaN.
     *
     * @param contract Contract of the model that the runner runs.
     */
    fun difference(runner: Runner, contract: ModelContract): Float {
        val checked = CheckedRunner(runner, contract.keypointJoints.size)
        val ofWindows = cases.map { difference(it.outputs, checked.run(ModelContract.WINDOW, it.inputs)) }
        return (ofWindows + ofSteps(checked, contract)).max()
    }

    private fun ofSteps(runner: Runner, contract: ModelContract): List<Float> {
        if (steps.isEmpty()) return emptyList()
        var state = contract.firstState()
        val frames = cases.flatMap { framesOf(it.inputs, contract.frames) }
        return steps.zip(frames) { expected, frame ->
            val given = runner.run(ModelContract.STEP, frame + state)
            state = state.mapValues { (name, _) -> given.getValue(name) }
            difference(expected, given)
        }
    }

    private fun framesOf(window: Map<String, FloatArray>, frames: Int): List<Map<String, FloatArray>> {
        val keypoints = window.getValue(ModelContract.KEYPOINTS)
        return keypoints.asList().chunked(keypoints.size / frames) { frame ->
            window + (ModelContract.KEYPOINTS to frame.toFloatArray())
        }
    }

    private fun difference(expected: Map<String, FloatArray>, given: Map<String, FloatArray>): Float =
        expected.maxOf { (name, values) -> difference(values, given.getValue(name)) }

    private fun difference(expected: FloatArray, given: FloatArray): Float {
        if (given.size != expected.size) return Float.POSITIVE_INFINITY
        return expected.indices.maxOf { i ->
            abs(expected[i] - given[i]).let { if (it.isNaN()) Float.POSITIVE_INFINITY else it }
        }
    }

    companion object {
        /** @throws IllegalArgumentException If the text is not valid JSON or a key is missing; the message names it. */
        fun parse(text: String): Golden {
            val json = Json.parse(text, "golden.json")
            val cases = json["cases"].items.map { Case(arrays(it["inputs"]), arrays(it["outputs"])) }
            // Earlier versions wrote the cases of one file only.
            val steps = json.find("files")?.get(json["file"].string)?.find("step")?.items.orEmpty()
            return Golden(cases, steps.map { arrays(it) })
        }

        private fun arrays(json: Json): Map<String, FloatArray> = json.fields.mapValues { (_, it) -> it.flatten() }
    }
}
