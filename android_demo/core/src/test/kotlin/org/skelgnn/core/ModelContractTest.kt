package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class ModelContractTest {
    private fun message(text: String) =
        assertFailsWith<IllegalArgumentException> { ModelContract.parse(text) }.message.orEmpty()

    @Test
    fun `a lifter's contract is read`() {
        val contract = ModelContract.parse(contractText(frames = 5, fps = 30.0, lookAhead = 2, step = true))
        assertEquals(Task.LIFT, contract.task)
        assertEquals(5, contract.frames)
        assertEquals(2, contract.lookAheadFrames)
        assertEquals(listOf("nose"), contract.keypointJoints)
        assertEquals(listOf(1, 4, 1, 4), contract.signatures.getValue("step").inputs["state"])
    }

    @Test
    fun `a recogniser's contract has its classes`() =
        assertEquals(listOf("rest", "squat"), ModelContract.parse(contractText("action")).classes)

    @Test
    fun `what the exporter writes for the presets is read`() {
        val lifter = ModelContract.parse(textFromPython("lifter.json"))
        assertEquals("blazepose_33", lifter.keypointLayout)
        assertEquals(33, lifter.keypointJoints.size)
        assertEquals(16, lifter.skeleton.bones.size)
        assertEquals(0, lifter.lookAheadFrames)
        assertEquals(setOf("keypoints", "image_size", "state"), lifter.signatures.getValue("step").inputs.keys)
        RepetitionCounter(lifter.skeleton, "squat")
        val recognizer = ModelContract.parse(textFromPython("recognizer.json"))
        assertEquals(recognizer.classes.toSet() - setOf("rest", "plank"), RepetitionCounter.EXERCISES)
        PoseLifter(lifter, { _, _ -> emptyMap() }, streaming = true)
        ActionRecognizer(recognizer, { _, _ -> emptyMap() })
    }

    @Test
    fun `what is missing or of another kind is named`() {
        assertContains(message(contractText().replace("\"frames\"", "\"frame\"")), "model.json: lacks \"frames\"")
        assertContains(message(contractText().replace("\"format\": 1", "\"format\": 2")), "format 2; this core reads 1")
        assertContains(message(contractText().replace("\"lift\"", "\"sing\"")), "wants \"lift\" or \"action\"")
        assertContains(message(contractText().replace("serving_default", "main")), "no signature \"serving_default\"")
    }

    @Test
    fun `shapes that do not fit the frames and joints are refused`() {
        assertContains(message(contractText().replace("\"frames\": 3", "\"frames\": 4")), "want the shape [1, 4, 1, 3]")
        val three = contractText("action", outputs = "\"probabilities\": [1, 3]")
        assertContains(message(three), "for each of 2 classes")
    }

    @Test
    fun `a skeleton without one root is refused`() =
        assertContains(message(contractText().replace("\"parents\": [-1]", "\"parents\": [0]")), "root (-1); found [0]")

    @Test
    fun `only the very file that was described passes`() {
        // sha256 of "abc", from FIPS 180-2.
        val known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        val contract = ModelContract.parse(contractText().replace("0".repeat(64), known))
        contract.check("model.tflite", "abc".toByteArray())
        val wrong = assertFailsWith<IllegalArgumentException> { contract.check("model.tflite", "abd".toByteArray()) }
        assertContains(wrong.message.orEmpty(), "expected $known")
        assertFailsWith<IllegalArgumentException> { contract.check("other.tflite", "abc".toByteArray()) }
    }

    @Test
    fun `bones and joints come from the tree`() {
        val skeleton = Skeleton("leg", listOf("foot", "hip", "knee"), listOf(2, -1, 1))
        assertEquals(listOf(0 to 2, 2 to 1), skeleton.bones)
        assertEquals(2, skeleton.index("knee"))
        assertFailsWith<IllegalArgumentException> { skeleton.index("toe") }
    }
}
