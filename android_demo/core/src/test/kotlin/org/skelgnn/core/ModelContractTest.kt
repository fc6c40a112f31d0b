package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class ModelContractTest {
    private fun message(text: String) =
        assertFailsWith<IllegalArgumentException> { ModelContract.parse(text) }.message.orEmpty()

    @Test
    fun `the contract of a lifting model is parsed`() {
        val contract = ModelContract.parse(contractText(frames = 5, fps = 30.0, lookAhead = 2, step = true))
        assertEquals(Task.LIFT, contract.task)
        assertEquals(5, contract.frames)
        assertEquals(2, contract.lookAheadFrames)
        assertEquals(listOf("nose"), contract.keypointJoints)
        assertEquals(listOf(1, 4, 1, 4), contract.signatures.getValue("step").inputs["state"])
    }

    @Test
    fun `the contract of an action model has classes`() =
        assertEquals(listOf("rest", "squat"), ModelContract.parse(contractText("action")).classes)

    @Test
    fun `the contracts of the exported presets are parsed`() {
        val lifter = ModelContract.parse(textFromPython("lifter.json"))
        assertEquals("blazepose_33", lifter.keypointLayout)
        assertEquals(33, lifter.keypointJoints.size)
        assertEquals(16, lifter.skeleton.bones.size)
        assertEquals(0, lifter.lookAheadFrames)
        assertEquals(setOf("keypoints", "image_size", "state"), lifter.signatures.getValue("step").inputs.keys)
        RepetitionCounter(lifter.skeleton, "squat")
        val recognizer = ModelContract.parse(textFromPython("recognizer.json"))
        assertEquals(recognizer.classes.toSet() - setOf("rest", "plank", "other"), RepetitionCounter.EXERCISES)
        PoseStream(lifter, { _, _ -> emptyMap() }, streaming = true)
        ActionStream(recognizer, { _, _ -> emptyMap() })
    }

    @Test
    fun `errors name a missing key and an invalid value`() {
        assertContains(
            message(contractText().replace("\"frames\"", "\"frame\"")),
            "contract.json must have the key \"frames\". Received: an object with the keys [",
        )
        assertContains(
            message(contractText().replace("\"format\": 1", "\"format\": 2")),
            "contract.json: format must be 1. Received: 2.",
        )
        assertContains(
            message(contractText().replace("\"lift\"", "\"sing\"")),
            "contract.json: task must be \"lift\" or \"action\". Received: sing.",
        )
        assertContains(
            message(contractText().replace("serving_default", "main")),
            "signatures must have the key \"serving_default\". Received: an object with the keys [main].",
        )
    }

    @Test
    fun `shapes that contradict the frames or classes raise an error`() {
        val four = message(contractText().replace("\"frames\": 3", "\"frames\": 4"))
        assertContains(four, "must have the shape [1, 4, 1, 3]")
        assertContains(four, "Received: [1, 3, 1, 3].")
        val three = contractText("action", outputs = "\"probabilities\": [1, 3]")
        assertContains(message(three), "must have the shape (1, 2), one probability per class. Received: [1, 3].")
    }

    @Test
    fun `a skeleton without a root raises an error`() =
        assertContains(
            message(contractText().replace("\"parents\": [-1]", "\"parents\": [0]")),
            "one root (-1). Received: [0].",
        )

    @Test
    fun `check accepts only the file with the described checksum`() {
        // The SHA-256 of "abc", from FIPS 180-2.
        val known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        val contract = ModelContract.parse(contractText().replace("0".repeat(64), known))
        contract.check("model.tflite", "abc".toByteArray())
        val wrong = assertFailsWith<IllegalArgumentException> { contract.check("model.tflite", "abd".toByteArray()) }
        assertContains(wrong.message.orEmpty(), "must have the sha256 $known")
        assertFailsWith<IllegalArgumentException> { contract.check("other.tflite", "abc".toByteArray()) }
    }

    @Test
    fun `bones and joint indices are derived from the parents`() {
        val skeleton = Skeleton("leg", listOf("foot", "hip", "knee"), listOf(2, -1, 1))
        assertEquals(listOf(0 to 2, 2 to 1), skeleton.bones)
        assertEquals(2, skeleton.index("knee"))
        assertFailsWith<IllegalArgumentException> { skeleton.index("toe") }
    }
}
