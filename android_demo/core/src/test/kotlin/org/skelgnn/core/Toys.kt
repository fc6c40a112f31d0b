package org.skelgnn.core

/** The text of a contract.json for a toy model with one joint. */
internal fun contractText(
    task: String = "lift",
    frames: Int = 3,
    fps: Double = 10.0,
    lookAhead: Int = 0,
    step: Boolean = false,
    outputs: String = if (task == "lift") LIFTS else """"probabilities": [1, 2]""",
): String {
    val keypoints = """"image_size": [1, 2], "keypoints": [1, """
    val signature = """"serving_default": {"inputs": {$keypoints$frames, 1, 3]}, "outputs": {$outputs}}"""
    val state = """"state": [1, ${frames - 1}, 1, 4]"""
    val second = """, "step": {"inputs": {$keypoints 1, 1, 3], $state}, "outputs": {$outputs, $state}}"""
    return """{
        "format": 1, "name": "toy", "task": "$task", "licence": "Apache-2.0", "frames": $frames, "fps": $fps,
        "look_ahead_frames": $lookAhead, "classes": ${if (task == "lift") "null" else """["rest", "squat"]"""},
        "keypoint_layout": "toy", "keypoint_joints": ["nose"],
        "skeleton": {"name": "toy", "joints": ["nose"], "parents": [-1], "mirror": [0]},
        "files": {"model.tflite": {"sha256": "${"0".repeat(64)}", "bytes": 3}},
        "signatures": {$signature${if (step) second else ""}}
    }"""
}

/** Sums a window's frames with the weights 1, 2, .., so that the result depends on the frames and their order. */
internal fun weightedSum(window: FloatArray, frames: Int): FloatArray {
    val size = window.size / frames
    return FloatArray(size) { i -> (0..<frames).sumOf { (it + 1.0) * window[it * size + i] }.toFloat() }
}

/** A toy lifting model whose pose is the weighted sum of its window, with both signatures. */
internal fun toyLifter(frames: Int) = Runner { signature, inputs ->
    val newest = inputs.getValue("keypoints")
    if (signature == ModelContract.WINDOW) return@Runner lifted(newest, frames)
    // As in the Python export: the previous frames, each with a flag that is 1 if it exists. The first frame replaces
    // missing ones.
    val past = inputs.getValue("state").toList().chunked(4)
    val seen = past.filter { it[3] == 1f }.map { it.take(3) } + listOf(newest.toList())
    val window = List(frames - seen.size) { seen.first() } + seen
    val state = past.drop(1).flatten() + newest.toList() + 1f
    lifted(window.flatten().toFloatArray(), frames) + ("state" to state.toFloatArray())
}

private fun lifted(window: FloatArray, frames: Int): Map<String, FloatArray> {
    val joints = window.size / frames / 3
    val confidence = FloatArray(joints) { window[window.size - 3 * joints + 3 * it + 2] }
    return mapOf("pose_m" to weightedSum(window, frames), "confidence" to confidence)
}

/** A frame with one joint at x = [x], far enough down the image to be in pixels. */
internal fun frame(x: Float, timeS: Double, widthPx: Int = 640, confidence: Float = 1f) =
    Keypoints(floatArrayOf(x, 100f, confidence), widthPx, 480, timeS)

private const val LIFTS = """"pose_m": [1, 1, 1, 3], "confidence": [1, 1, 1]"""
