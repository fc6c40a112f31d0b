// Written from https://github.com/androidx/androidx/blob/androidx-main/camera/camera-core/api/1.7.0-rc01.txt (the
// calls below are the same since 1.3) and https://developer.android.com/reference/androidx/camera/core/ImageProxy, for
// what 1.7 moves to its superclasses; Java's getters and setters as properties, one-method interfaces as
// `fun interface`.
package androidx.camera.core

import android.graphics.Rect
import android.util.Rational
import androidx.lifecycle.LiveData
import java.nio.ByteBuffer
import java.util.concurrent.Executor

abstract class UseCase

interface Camera {
    val cameraInfo: CameraInfo
}

interface CameraInfo {
    val cameraState: LiveData<CameraState>
}

class CameraSelector private constructor() {
    companion object {
        val DEFAULT_BACK_CAMERA: CameraSelector get() = TODO()
        val DEFAULT_FRONT_CAMERA: CameraSelector get() = TODO()
    }
}

abstract class CameraState {
    abstract val type: Type
    abstract val error: StateError?

    enum class Type { PENDING_OPEN, OPENING, OPEN, CLOSING, CLOSED }

    abstract class StateError {
        abstract val code: Int
    }
}

class SurfaceRequest private constructor()

class Preview private constructor() : UseCase() {
    var targetRotation: Int
        get() = TODO()
        set(_) = TODO()

    fun setSurfaceProvider(surfaceProvider: SurfaceProvider?): Unit = TODO()

    fun interface SurfaceProvider {
        fun onSurfaceRequested(request: SurfaceRequest)
    }

    class Builder {
        fun build(): Preview = TODO()
    }
}

class ViewPort private constructor() {
    class Builder(aspectRatio: Rational, rotation: Int) {
        fun build(): ViewPort = TODO()
    }
}

class UseCaseGroup private constructor() {
    class Builder {
        fun setViewPort(viewPort: ViewPort): Builder = TODO()

        fun addUseCase(useCase: UseCase): Builder = TODO()

        fun build(): UseCaseGroup = TODO()
    }
}

interface ImageInfo {
    val timestamp: Long
}

interface ImageProxy : AutoCloseable {
    val cropRect: Rect
    val imageInfo: ImageInfo
    val planes: Array<PlaneProxy>

    interface PlaneProxy {
        val buffer: ByteBuffer
        val rowStride: Int
    }
}

class ImageAnalysis private constructor() : UseCase() {
    var targetRotation: Int
        get() = TODO()
        set(_) = TODO()

    fun setAnalyzer(executor: Executor, analyzer: Analyzer): Unit = TODO()

    fun clearAnalyzer(): Unit = TODO()

    fun interface Analyzer {
        fun analyze(image: ImageProxy)
    }

    class Builder {
        fun setBackpressureStrategy(strategy: Int): Builder = TODO()

        fun setOutputImageFormat(outputImageFormat: Int): Builder = TODO()

        fun setOutputImageRotationEnabled(outputImageRotationEnabled: Boolean): Builder = TODO()

        fun build(): ImageAnalysis = TODO()
    }

    companion object {
        const val STRATEGY_KEEP_ONLY_LATEST = 0
        const val OUTPUT_IMAGE_FORMAT_RGBA_8888 = 2
    }
}
