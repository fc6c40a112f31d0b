package org.skelgnn.demo

import android.app.Application
import android.os.SystemClock
import androidx.camera.core.CameraSelector
import androidx.camera.core.SurfaceRequest
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.viewModelScope
import java.util.concurrent.Executors
import java.util.concurrent.RejectedExecutionException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.skelgnn.core.FrameClock
import org.skelgnn.core.Keypoints

/** Connects the camera, the detector, `core` and the screen. The models survive a rotation of the phone. */
class DemoViewModel(application: Application) : AndroidViewModel(application) {
    private val screen = MutableStateFlow<ScreenState>(ScreenState.Starting)
    private val chosen = MutableStateFlow(Workout())
    private val surface = MutableStateFlow<SurfaceRequest?>(null)
    private val executor = Executors.newSingleThreadExecutor()
    private val camera = CameraSource(executor, { surface.value = it }, ::onFrame, ::onCameraLost, ::onCameraFound)
    private val clock = FrameClock()
    private var loading: Job? = null

    // Number of the camera's current run; the main thread sets it, and results of earlier runs are dropped.
    @Volatile private var session = 0

    // Only the executor's tasks read and write it, so that no frame reaches a closed detector.
    private var engine: Engine? = null

    val state: StateFlow<ScreenState> = screen.asStateFlow()
    val workout: StateFlow<Workout> = chosen.asStateFlow()
    val surfaceRequest: StateFlow<SurfaceRequest?> = surface.asStateFlow()

    init {
        load()
    }

    /** Continues with what the user has chosen, from the next frame on. */
    fun start(workout: Workout) {
        chosen.value = workout
    }

    /** Runs the camera until cancelled. Call it on the main thread. */
    suspend fun runCamera(owner: LifecycleOwner, isFront: Boolean) {
        session++
        // What is shown belongs to another camera.
        screen.update { if (it is ScreenState.NoModel) it else ScreenState.Starting }
        val facing = if (isFront) CameraSelector.DEFAULT_FRONT_CAMERA else CameraSelector.DEFAULT_BACK_CAMERA
        camera.run(getApplication<Application>(), owner, facing, session)
    }

    /** Opens the detector and the models again after a failure. */
    fun restartDetector() {
        executor.execute { replaceEngine(null) }
        screen.update { if (it is ScreenState.DetectorFailed) ScreenState.Starting else it }
        load()
    }

    private fun load() {
        loading?.cancel()
        loading = viewModelScope.launch(Dispatchers.Default) {
            try {
                val context = getApplication<Application>()
                val opened = Engine.open(context, { ensureActive() }, ::onResult, ::onDetectorError)
                try {
                    executor.execute { replaceEngine(opened) }
                } catch (_: RejectedExecutionException) {
                    // The view model was cleared meanwhile.
                    opened.close()
                }
            } catch (cancelled: CancellationException) {
                throw cancelled
            } catch (error: Exception) {
                // The messages of LiteRT, MediaPipe and core name the file and the problem.
                onLoadError(error)
            } catch (error: UnsatisfiedLinkError) {
                onLoadError(error)
            }
        }
    }

    /** Closes the engine and continues with another one. Runs on the executor. */
    private fun replaceEngine(next: Engine?) {
        val last = engine
        engine = next
        try {
            last?.close()
        } catch (_: RuntimeException) {
            // A detector that has failed reports its error again when it is closed.
        }
    }

    /** Runs on the executor. */
    private fun onFrame(frame: CameraFrame) {
        if (frame.session != session) return
        val timeMs = clock.timeMs(frame.session, frame.timestampNs, SystemClock.uptimeMillis()) ?: return
        try {
            engine?.detect(frame.image, timeMs)
        } catch (error: RuntimeException) {
            onDetectorError(error)
        }
    }

    /** Runs on MediaPipe's thread, where an exception would end the app. */
    private fun onResult(pipeline: FramePipeline, timeMs: Long, keypoints: Keypoints?) {
        val current = session
        if (clock.session(timeMs) != current) return
        try {
            pipeline.push(keypoints, chosen.value, current)?.let { show(it) }
        } catch (error: Exception) {
            onDetectorError(error)
        }
    }

    /** Shows what a frame leads to, unless the screen shows an error of the models or the camera. */
    private fun show(next: ScreenState) =
        screen.update { if (it is ScreenState.NoModel || it is ScreenState.CameraLost) it else next }

    private fun onDetectorError(error: Throwable) = show(ScreenState.DetectorFailed(error.message ?: error.toString()))

    private fun onLoadError(error: Throwable) {
        screen.value = ScreenState.NoModel(error.message ?: error.toString())
    }

    private fun onCameraLost(reason: String) =
        screen.update { if (it is ScreenState.NoModel) it else ScreenState.CameraLost(reason) }

    private fun onCameraFound() = screen.update { if (it is ScreenState.CameraLost) ScreenState.Starting else it }

    override fun onCleared() {
        executor.execute { replaceEngine(null) }
        executor.shutdown()
    }
}
