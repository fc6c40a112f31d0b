package org.skelgnn.core

import java.security.MessageDigest

/** What a model does: keypoints to 3D poses, or to actions. */
enum class Task { LIFT, ACTION }

/**
 * A tree of joints.
 *
 * @property joints Names; those of the person's left side begin with `left_`.
 * @property parents Parent of each joint, -1 for the one root.
 */
class Skeleton(val name: String, val joints: List<String>, val parents: List<Int>) {
    init {
        val areJoints = parents.size == joints.size && parents.all { it in -1..joints.lastIndex }
        require(areJoints && parents.count { it == -1 } == 1) {
            "skeleton $name wants one parent for each of its ${joints.size} joints and one root (-1); found $parents"
        }
    }

    /** (child, parent) of every bone. */
    val bones: List<Pair<Int, Int>> = parents.withIndex().filter { it.value >= 0 }.map { it.index to it.value }

    /** Index of a joint by name. */
    fun index(joint: String): Int = joints.indexOf(joint).also {
        require(it >= 0) { "skeleton $name has no joint \"$joint\"; it has ${joints.joinToString()}" }
    }
}

/** Names and shapes of what a signature of the `.tflite` file takes and gives. */
class Signature(val inputs: Map<String, List<Int>>, val outputs: Map<String, List<Int>>)

/**
 * What `model.json` says of the `.tflite` file beside it: all that an app must know to feed it and to read its outputs.
 *
 * @property keypointJoints Joints of the detector in the order in which the model wants them.
 * @property skeleton Joints of the model's poses.
 * @property frames Frames T of a window.
 * @property fps Frame rate that a window's frames want; 0 if any will do.
 * @property lookAheadFrames Frames of the window after the frame that a pose is about; 0 if the model is causal.
 * @property classes Names of the actions, in the order of the probabilities; empty for a lifter.
 * @property signatures By name: [WINDOW] always, [STEP] where the model can take one frame at a time.
 * @property sha256 Of each file by name, lower-case hexadecimal.
 */
class ModelContract private constructor(json: Json) {
    val name = json["name"].string
    val task = when (val task = json["task"].string) {
        "lift" -> Task.LIFT
        "action" -> Task.ACTION
        else -> json["task"].fail("wants \"lift\" or \"action\"; found \"$task\"")
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
        val window = signatures[WINDOW] ?: json["signatures"].fail("has no signature \"$WINDOW\"")
        val shape = listOf(1, frames, keypointJoints.size, Keypoints.CHANNELS)
        require(window.inputs[KEYPOINTS] == shape) {
            "model.json: $KEYPOINTS want the shape $shape (1, frames, joints, x y confidence); " +
                "found ${window.inputs[KEYPOINTS]}"
        }
        val output = if (task == Task.LIFT) POSE_M else PROBABILITIES
        val size = window.outputs[output]?.last()
        require(size == if (task == Task.LIFT) 3 else classes.size) {
            "model.json: the output $output wants (.., 3) metres or one probability for each of ${classes.size} " +
                "classes; found ${window.outputs[output]}"
        }
    }

    /**
     * Whether [content] is the file that this contract was written for.
     *
     * @throws IllegalArgumentException It is another one, or the contract knows no such file.
     */
    fun check(file: String, content: ByteArray) {
        val expected = requireNotNull(sha256[file]) { "model.json knows no $file, but ${sha256.keys.joinToString()}" }
        val found = MessageDigest.getInstance("SHA-256").digest(content).joinToString("") { "%02x".format(it) }
        require(found == expected) {
            "$file is not the one that model.json describes (sha256 $found, expected $expected); export both anew"
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
         * Reads the text of a `model.json`.
         *
         * @throws IllegalArgumentException It is no JSON, of another format, or lacks something; says what and where.
         */
        fun parse(text: String): ModelContract {
            val json = Json.parse(text, "model.json")
            val format = json["format"].int
            require(format == FORMAT) { "model.json has format $format; this core reads $FORMAT: export it anew" }
            return ModelContract(json)
        }

        private fun shapes(json: Json) = json.fields.mapValues { (_, shape) -> shape.ints }
    }
}
