// Written from https://ai.google.dev/edge/api/mediapipe/java/com/google/mediapipe/tasks/core/package-summary; Java's
// one-method interfaces as `fun interface`.
package com.google.mediapipe.tasks.core

abstract class BaseOptions {
    abstract class Builder {
        abstract fun setModelAssetPath(value: String): Builder

        fun build(): BaseOptions = TODO()
    }

    companion object {
        fun builder(): Builder = TODO()
    }
}

fun interface ErrorListener {
    fun onError(e: RuntimeException)
}

class OutputHandler {
    fun interface ResultListener<TaskResultT, InputT> {
        fun run(result: TaskResultT, input: InputT)
    }
}
