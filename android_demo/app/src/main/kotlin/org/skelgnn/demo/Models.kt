package org.skelgnn.demo

import android.content.res.AssetManager
import java.io.IOException
import org.skelgnn.core.Golden
import org.skelgnn.core.ModelContract

/** A model from the assets: its contract and its runner. */
class Model(val contract: ModelContract, val runner: LiteRtRunner) : AutoCloseable by runner

/** The lifting model and the action model that `make android-assets` writes to the assets. */
class Models private constructor(val lifter: Model, val recognizer: Model) : AutoCloseable {
    override fun close() {
        lifter.use { recognizer.close() }
    }

    companion object {
        /**
         * Opens both models and compares their outputs with those of Python.
         *
         * @param checkActive Called between the steps; may throw to stop.
         * @throws IllegalArgumentException If a file is missing, damaged or gives other results.
         */
        fun open(assets: AssetManager, checkActive: () -> Unit): Models {
            val lifter = open(assets, "lifter", LARGEST_DIFFERENCE_M)
            return lifter.closedOnFailure {
                checkActive()
                Models(lifter, open(assets, "recognizer", LARGEST_DIFFERENCE_PROBABILITY))
            }
        }

        // Rounding of int8 weights differs between processors; a wrong layout or runtime differs by far more.
        private const val LARGEST_DIFFERENCE_M = 0.03f
        private const val LARGEST_DIFFERENCE_PROBABILITY = 0.1f
        private const val LAYOUT = "blazepose_33"

        // Exports of earlier versions call the contract model.json.
        private val CONTRACT_FILES = listOf("contract.json", "model.json")

        /** Opens `folder/model.tflite` and compares its outputs with those of Python (`golden.json`). */
        private fun open(assets: AssetManager, folder: String, bound: Float): Model {
            val contract = contract(assets, folder)
            require(contract.keypointLayout == LAYOUT) {
                "The keypoint layout of $folder must be $LAYOUT, as MediaPipe detects it. " +
                    "Received: ${contract.keypointLayout}. Run make android-assets and build again."
            }
            val file = "$folder/model.tflite"
            contract.check("model.tflite", bytes(assets, file))
            val golden = Golden.parse(text(assets, "$folder/golden.json"))
            val model = Model(contract, LiteRtRunner(assets, file, contract))
            return model.closedOnFailure {
                val difference = golden.difference(model.runner, contract)
                require(difference <= bound) {
                    "The outputs of $file must differ from Python's by at most $bound. Received: $difference. " +
                        "Run make android-assets and build again."
                }
                model
            }
        }

        private fun contract(assets: AssetManager, folder: String): ModelContract {
            val file = CONTRACT_FILES.map { "$folder/$it" }.firstOrNull { exists(assets, it) }
            return ModelContract.parse(text(assets, file ?: "$folder/${CONTRACT_FILES.first()}"))
        }

        private fun exists(assets: AssetManager, file: String): Boolean = try {
            assets.open(file).close()
            true
        } catch (_: IOException) {
            false
        }

        private fun text(assets: AssetManager, file: String) = bytes(assets, file).decodeToString()

        private fun bytes(assets: AssetManager, file: String): ByteArray = try {
            assets.open(file).use { it.readBytes() }
        } catch (error: IOException) {
            throw IllegalArgumentException("assets/$file is missing. Run make android-assets and build again.", error)
        }
    }
}

/** Returns the result of [next], and closes this if it fails. */
internal inline fun <R> AutoCloseable.closedOnFailure(next: () -> R): R = try {
    next()
} catch (failure: Throwable) {
    close()
    throw failure
}
