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

/** Connects the camera, the detector, `core` and the screen. The models survive a rotation of the phone. */
class DemoViewModel(application: Application) : AndroidViewModel(application) {
    private val screen = MutableStateFlow<ScreenState>(ScreenState.Starting)
    private val chosen = MutableStateFlow(Workout())
    private val surface = MutableStateFlow<SurfaceRequest?>(null)
    private val executor = Executors.newSingleThreadExecutor()
    private val camera = CameraSource(executor, { surface.value = it }, ::onFrame, ::onCameraLost, ::onCameraFound)

    @Volatile private var detector: PoseDetector? = null
    private var models: Models? = null

    val state: StateFlow<ScreenState> = screen.asStateFlow()
    val workout: StateFlow<Workout> = chosen.asStateFlow()
    val surfaceRequest: StateFlow<SurfaceRequest?> = surface.asStateFlow()

    init {
        viewModelScope.launch(Dispatchers.Default) { load() }
    }

    /** Continues with what the user has chosen, from the next frame on. */
    fun start(workout: Workout) {
        chosen.value = workout
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
                onKeypoints = { keypoints -> pipeline.push(keypoints, chosen.value)?.let { show(it) } },
                onError = { error -> fail(error) },
            )
        } catch (error: Exception) {
            // The messages of LiteRT, MediaPipe and core name the file and the problem.
            fail(error)
        } catch (error: UnsatisfiedLinkError) {
            fail(error)
        }
    }

    private fun fail(error: Throwable) {
        screen.value = ScreenState.NoModel(error.message ?: error.toString())
    }

    private fun onFrame(image: Bitmap, timeMs: Long) {
        detector?.detect(image, timeMs)
    }

    /** Shows the result of a frame, unless the screen shows an error of the models or the camera. */
    private fun show(next: ScreenState) {
        val now = screen.value
        if (now !is ScreenState.NoModel && now !is ScreenState.CameraLost) screen.value = next
    }

    private fun onCameraLost(reason: String) {
        if (screen.value !is ScreenState.NoModel) screen.value = ScreenState.CameraLost(reason)
    }

    private fun onCameraFound() {
        if (screen.value is ScreenState.CameraLost) screen.value = ScreenState.Starting
    }

    override fun onCleared() {
        // Runs on the frames' thread, so that no frame reaches a closed detector.
        executor.execute {
            detector?.close()
            models?.close()
        }
        executor.shutdown()
    }
}
