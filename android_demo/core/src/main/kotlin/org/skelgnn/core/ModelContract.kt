package org.skelgnn.core

import java.security.MessageDigest

/** Task of a model: lifting keypoints to 3D poses, or action recognition. */
enum class Task { LIFT, ACTION }

/**
 * A tree of joints.
 *
 * @property joints Joint names; those on the person's left side start with `left_`.
 * @property parents Index of each joint's parent; -1 for the root.
 */
class Skeleton(val name: String, val joints: List<String>, val parents: List<Int>) {
    init {
        val areJoints = parents.size == joints.size && parents.all { it in -1..joints.lastIndex }
        require(areJoints && parents.count { it == -1 } == 1) {
            "parents of skeleton $name must be ${joints.size} joint indices with one root (-1). Received: $parents."
        }
    }

    /** All bones as (child, parent). */
    val bones: List<Pair<Int, Int>> = parents.withIndex().filter { it.value >= 0 }.map { it.index to it.value }

    /** Returns the index of a joint. */
    fun index(joint: String): Int = joints.indexOf(joint).also {
        require(it >= 0) {
            "joint must be one of skeleton $name: ${joints.joinToString()}. Received: $joint. Use another skeleton."
        }
    }
}

/** Names and shapes of the inputs and outputs of a signature in the `.tflite` file. */
class Signature(val inputs: Map<String, List<Int>>, val outputs: Map<String, List<Int>>)

/**
 * Contents of `contract.json`, which describes the exported `.tflite` file: everything an app needs to prepare the
 * model's inputs and to interpret its outputs.
 *
 * @property keypointJoints Joints of the detector, in the order of the model's input.
 * @property skeleton Skeleton of the model's poses.
 * @property frames Number of frames T in a window.
 * @property fps Frame rate of a window; 0 if the model accepts any rate.
 * @property lookAheadFrames Number of frames in the window after the frame of the pose; 0 if the model is causal.
 * @property classes Action names, in the order of the probabilities; empty for a lifting model.
 * @property signatures Signatures by name: always [WINDOW], and [STEP] if the model can process one frame at a time.
 * @property sha256 SHA-256 of each file by name, in lower-case hexadecimal.
 */
class ModelContract private constructor(json: Json) {
    val name = json["name"].string
    val task = when (json["task"].string) {
        "lift" -> Task.LIFT
        "action" -> Task.ACTION
        else -> json["task"].fail("be \"lift\" or \"action\"")
    }
    val keypointLayout = json["keypoint_layout"].string
    val keypointJoints = json["keypoint_joints"].strings
    val skeleton = json["skeleton"].let { Skeleton(it["name"].string, it["joints"].strings, it["parents"].ints) }
    val frames = json["frames"].int
    val fps = json["fps"].double
    val lookAheadFrames = json["look_ahead_frames"].int
    val classes = json.find("classes")?.strings.orEmpty()
    val licence = json["licence"].string
    val signatures = json["signatures"].fields.mapValues { (_, one) ->
        Signature(shapes(one["inputs"]), shapes(one["outputs"]))
    }
    val sha256 = json["files"].fields.mapValues { (_, file) -> file["sha256"].string }

    init {
        val window = signatures[WINDOW] ?: json["signatures"].fail("have the key \"$WINDOW\"")
        val shape = listOf(1, frames, keypointJoints.size, Keypoints.CHANNELS)
        require(window.inputs[KEYPOINTS] == shape) {
            "contract.json: the input $KEYPOINTS must have the shape $shape (1, frames, joints, 3). " +
                "Received: ${window.inputs[KEYPOINTS]}. Export the model again."
        }
        val output = if (task == Task.LIFT) POSE_M else PROBABILITIES
        val size = window.outputs[output]?.last()
        require(size == if (task == Task.LIFT) 3 else classes.size) {
            "contract.json: the output $output must have the shape " +
                (if (task == Task.LIFT) "(.., 3)" else "(1, ${classes.size}), one probability per class") +
                ". Received: ${window.outputs[output]}. Export the model again."
        }
    }

    /** Returns the state before the first frame, for the signature [STEP]: zeros by name. */
    internal fun firstState(): Map<String, FloatArray> =
        (signatures.getValue(STEP).inputs - setOf(KEYPOINTS, IMAGE_SIZE))
            .mapValues { (_, shape) -> FloatArray(shape.fold(1, Int::times)) }

    /**
     * Checks that [content] is the file that this contract describes.
     *
     * @throws IllegalArgumentException If the checksum differs, or if the contract does not list the file.
     */
    fun check(file: String, content: ByteArray) {
        val expected = requireNotNull(sha256[file]) {
            "file must be one of those in contract.json: ${sha256.keys.joinToString()}. Received: $file."
        }
        val found = MessageDigest.getInstance("SHA-256").digest(content).joinToString("") { "%02x".format(it) }
        require(found == expected) {
            "$file must have the sha256 $expected from contract.json. Received: $found. Export both files again."
        }
    }

    companion object {
        const val WINDOW = "serving_default"
        const val STEP = "step"
        const val KEYPOINTS = "keypoints"
        const val IMAGE_SIZE = "image_size"
        const val POSE_M = "pose_m"
        const val CONFIDENCE = "confidence"
        const val PROBABILITIES = "probabilities"
        private const val FORMAT = 1

        /**
         * Parses the text of a `contract.json`.
         *
         * @throws IllegalArgumentException If the text is not valid JSON, has another format, or a key is missing; the
         *   message names the location.
         */
        fun parse(text: String): ModelContract {
            val json = Json.parse(text, "contract.json")
            val format = json["format"].int
            require(format == FORMAT) {
                "contract.json: format must be $FORMAT. Received: $format. Export the model again."
            }
            return ModelContract(json)
        }

        private fun shapes(json: Json) = json.fields.mapValues { (_, shape) -> shape.ints }
    }
}
