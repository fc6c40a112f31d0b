package org.skelgnn.demo

import android.app.Application
import android.graphics.Bitmap
import androidx.camera.core.CameraSelector
import androidx.camera.core.SurfaceRequest
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.viewModelScope
import java.util.concurrent.Executors
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch

/** Camera -> detector -> `core` -> screen. It outlives the activity, so that a turned phone keeps its models. */
class DemoViewModel(application: Application) : AndroidViewModel(application) {
    private val screen = MutableStateFlow<ScreenState>(ScreenState.Starting)
    private val surface = MutableStateFlow<SurfaceRequest?>(null)
    private val executor = Executors.newSingleThreadExecutor()
    private val camera = CameraSource(executor, { surface.value = it }, ::look, ::lose, ::find)

    @Volatile private var detector: PoseDetector? = null
    private var models: Models? = null

    val state: StateFlow<ScreenState> = screen.asStateFlow()
    val surfaceRequest: StateFlow<SurfaceRequest?> = surface.asStateFlow()

    init {
        viewModelScope.launch(Dispatchers.Default) { load() }
    }

    /** Runs the camera until cancelled. */
    suspend fun runCamera(owner: LifecycleOwner, isFront: Boolean) {
        val facing = if (isFront) CameraSelector.DEFAULT_FRONT_CAMERA else CameraSelector.DEFAULT_BACK_CAMERA
        camera.run(getApplication<Application>(), owner, facing)
    }

    private fun load() {
        try {
            val models = Models(getApplication<Application>().assets).also { models = it }
            val pipeline = FramePipeline(models)
            detector = PoseDetector(
                getApplication<Application>(),
                onKeypoints = { keypoints -> pipeline.push(keypoints)?.let { show(it) } },
                onError = { error -> fail(error) },
            )
        } catch (error: Exception) {
            // LiteRT, MediaPipe and core all say in the message what is wrong with which file.
            fail(error)
        } catch (error: UnsatisfiedLinkError) {
            fail(error)
        }
    }

    private fun fail(error: Throwable) {
        screen.value = ScreenState.NoModel(error.message ?: error.toString())
    }

    private fun look(picture: Bitmap, timeMs: Long) {
        detector?.detect(picture, timeMs)
    }

    /** A frame's result; what is wrong for good, or with the camera, stays on the screen. */
    private fun show(next: ScreenState) {
        val now = screen.value
        if (now !is ScreenState.NoModel && now !is ScreenState.CameraLost) screen.value = next
    }

    private fun lose(reason: String) {
        if (screen.value !is ScreenState.NoModel) screen.value = ScreenState.CameraLost(reason)
    }

    private fun find() {
        if (screen.value is ScreenState.CameraLost) screen.value = ScreenState.Starting
    }

    override fun onCleared() {
        // On the frames' own thread: none of them may meet a closed detector.
        executor.execute {
            detector?.close()
            models?.close()
        }
        executor.shutdown()
    }
}
