package org.skelgnn.demo

import android.content.res.AssetManager
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.TensorBuffer
import org.skelgnn.core.ModelContract
import org.skelgnn.core.Runner

/**
 * Runs a `.tflite` file from the app's assets with LiteRT on the CPU. For models of this size, transferring data to and
 * from a GPU would take longer than the computation. Not thread-safe, because it reuses its buffers.
 */
class LiteRtRunner(assets: AssetManager, file: String, private val contract: ModelContract) : Runner, AutoCloseable {
    private val model = CompiledModel.create(
        assets,
        file,
        CompiledModel.Options(Accelerator.CPU).apply { cpuOptions = CompiledModel.CpuOptions(numThreads = 1) },
    )
    private val buffers = mutableMapOf<String, Buffers>()

    private class Buffers : AutoCloseable {
        val inputs = mutableMapOf<String, TensorBuffer>()
        val outputs = mutableMapOf<String, TensorBuffer>()

        override fun close() = (inputs.values + outputs.values).forEach { it.close() }
    }

    override fun run(signature: String, inputs: Map<String, FloatArray>): Map<String, FloatArray> {
        val buffers = buffers.getOrPut(signature) { allocate(signature) }
        buffers.inputs.forEach { (name, buffer) -> buffer.writeFloat(inputs.getValue(name)) }
        model.run(buffers.inputs, buffers.outputs, signature)
        return buffers.outputs.mapValues { (_, buffer) -> buffer.readFloat() }
    }

    private fun allocate(name: String): Buffers {
        val signature = contract.signatures.getValue(name)
        val made = Buffers()
        return made.closedOnFailure {
            for (input in signature.inputs.keys) made.inputs[input] = model.createInputBuffer(input, name)
            for (output in signature.outputs.keys) made.outputs[output] = model.createOutputBuffer(output, name)
            made
        }
    }

    override fun close() = model.use { buffers.values.forEach { it.close() } }
}
