package org.skelgnn.demo

import android.content.res.AssetManager
import java.io.IOException
import org.skelgnn.core.Golden
import org.skelgnn.core.ModelContract

/** A model of the assets: its contract, and its file ready to run. */
class Model(val contract: ModelContract, val runner: LiteRtRunner) : AutoCloseable by runner

/** The lifter and the recogniser that `make android-assets` put into the assets. */
class Models(assets: AssetManager) : AutoCloseable {
    val lifter = load(assets, "lifter", LARGEST_DIFFERENCE_M)
    val recognizer = load(assets, "recognizer", LARGEST_DIFFERENCE_PROBABILITY)

    override fun close() {
        lifter.close()
        recognizer.close()
    }

    private companion object {
        // Rounding of int8 weights differs between processors; a wrong layout or runtime differs by far more.
        const val LARGEST_DIFFERENCE_M = 0.03f
        const val LARGEST_DIFFERENCE_PROBABILITY = 0.1f
        const val LAYOUT = "blazepose_33"

        /** Loads `folder/model.tflite` and lets it compute what Python computed (`golden.json`). */
        fun load(assets: AssetManager, folder: String, bound: Float): Model {
            val contract = ModelContract.parse(text(assets, "$folder/model.json"))
            require(contract.keypointLayout == LAYOUT) {
                "$folder/model.json wants ${contract.keypointLayout} keypoints, MediaPipe gives $LAYOUT; " +
                    "run make android-assets"
            }
            val file = "$folder/model.tflite"
            contract.check("model.tflite", bytes(assets, file))
            val runner = LiteRtRunner(assets, file, contract)
            val difference = Golden.parse(text(assets, "$folder/golden.json")).difference(runner)
            require(difference <= bound) { "$file computes other numbers here than in Python, by up to $difference" }
            return Model(contract, runner)
        }

        fun text(assets: AssetManager, file: String) = bytes(assets, file).decodeToString()

        fun bytes(assets: AssetManager, file: String): ByteArray = try {
            assets.open(file).use { it.readBytes() }
        } catch (error: IOException) {
            throw IllegalArgumentException("assets/$file is missing; run make android-assets and build again", error)
        }
    }
}
