// Written from https://github.com/google-ai-edge/mediapipe/tree/master/mediapipe/tasks/java/com/google/mediapipe/tasks/
// vision/poselandmarker (PoseLandmarker.java, PoseLandmarkerResult.java)
package com.google.mediapipe.tasks.vision.poselandmarker

import android.content.Context
import com.google.mediapipe.framework.image.MPImage
import com.google.mediapipe.tasks.components.containers.Connection
import com.google.mediapipe.tasks.components.containers.NormalizedLandmark
import com.google.mediapipe.tasks.core.BaseOptions
import com.google.mediapipe.tasks.core.ErrorListener
import com.google.mediapipe.tasks.core.OutputHandler.ResultListener
import com.google.mediapipe.tasks.vision.core.RunningMode

abstract class PoseLandmarkerResult {
    abstract fun timestampMs(): Long

    abstract fun landmarks(): List<List<NormalizedLandmark>>
}

class PoseLandmarker private constructor() : AutoCloseable {
    fun detectAsync(image: MPImage, timestampMs: Long): Unit = TODO()

    override fun close(): Unit = TODO()

    abstract class PoseLandmarkerOptions {
        abstract class Builder {
            abstract fun setBaseOptions(value: BaseOptions): Builder

            abstract fun setRunningMode(value: RunningMode): Builder

            abstract fun setNumPoses(value: Int): Builder

            abstract fun setResultListener(value: ResultListener<PoseLandmarkerResult, MPImage>): Builder

            abstract fun setErrorListener(value: ErrorListener): Builder

            fun build(): PoseLandmarkerOptions = TODO()
        }

        companion object {
            fun builder(): Builder = TODO()
        }
    }

    companion object {
        val POSE_LANDMARKS: Set<Connection> get() = TODO()

        fun createFromOptions(context: Context, landmarkerOptions: PoseLandmarkerOptions): PoseLandmarker = TODO()
    }
}
