package org.skelgnn.demo

import android.content.res.AssetManager
import java.io.IOException
import org.skelgnn.core.Golden
import org.skelgnn.core.ModelContract

/** A model from the assets: its contract and its runner. */
class Model(val contract: ModelContract, val runner: LiteRtRunner) : AutoCloseable by runner

/** The lifting model and the action model that `make android-assets` writes to the assets. */
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

        // Exports of earlier versions call the contract model.json.
        val CONTRACT_FILES = listOf("contract.json", "model.json")

        /** Loads `folder/model.tflite` and compares its outputs with those of Python (`golden.json`). */
        fun load(assets: AssetManager, folder: String, bound: Float): Model {
            val contract = contract(assets, folder)
            require(contract.keypointLayout == LAYOUT) {
                "The keypoint layout of $folder must be $LAYOUT, as MediaPipe detects it. " +
                    "Received: ${contract.keypointLayout}. Run make android-assets and build again."
            }
            val file = "$folder/model.tflite"
            contract.check("model.tflite", bytes(assets, file))
            val runner = LiteRtRunner(assets, file, contract)
            val difference = Golden.parse(text(assets, "$folder/golden.json")).difference(runner)
            require(difference <= bound) {
                "The outputs of $file must differ from Python's by at most $bound. Received: $difference. " +
                    "Run make android-assets and build again."
            }
            return Model(contract, runner)
        }

        fun contract(assets: AssetManager, folder: String): ModelContract {
            val file = CONTRACT_FILES.map { "$folder/$it" }.firstOrNull { exists(assets, it) }
            return ModelContract.parse(text(assets, file ?: "$folder/${CONTRACT_FILES.first()}"))
        }

        fun exists(assets: AssetManager, file: String): Boolean = try {
            assets.open(file).close()
            true
        } catch (_: IOException) {
            false
        }

        fun text(assets: AssetManager, file: String) = bytes(assets, file).decodeToString()

        fun bytes(assets: AssetManager, file: String): ByteArray = try {
            assets.open(file).use { it.readBytes() }
        } catch (error: IOException) {
            throw IllegalArgumentException("assets/$file is missing. Run make android-assets and build again.", error)
        }
    }
}
