package org.skelgnn.demo

import android.content.Context
import android.graphics.Bitmap
import android.hardware.display.DisplayManager
import android.os.SystemClock
import android.view.Display
import androidx.camera.core.CameraSelector
import androidx.camera.core.CameraState
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.Preview
import androidx.camera.core.SurfaceRequest
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.camera.lifecycle.awaitInstance
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.Observer
import java.util.concurrent.Executor
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.awaitCancellation

/**
 * Provides the camera's frames, upright and not mirrored, and a preview with the same aspect ratio.
 *
 * @param executor Single-threaded executor that calls [onFrame].
 * @param onSurface Called with the surface request of the viewfinder.
 * @param onFrame Called with each processed frame and its time in milliseconds since boot; frames that arrive while a
 *   previous one is processed are dropped.
 * @param onLost Called with a reason when the camera is disconnected or cannot be opened.
 * @param onFound Called when the camera opens.
 */
class CameraSource(
    private val executor: Executor,
    private val onSurface: (SurfaceRequest) -> Unit,
    private val onFrame: (Bitmap, Long) -> Unit,
    private val onLost: (String) -> Unit,
    private val onFound: () -> Unit,
) {
    /** Runs the camera until the coroutine is cancelled. Call it on the main thread. */
    suspend fun run(context: Context, owner: LifecycleOwner, facing: CameraSelector) {
        try {
            runUntilCancelled(context, owner, facing)
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (error: Exception) {
            // CameraX fails to start, the camera does not exist, or it does not support both use cases at once.
            onLost(error.message ?: error.toString())
        }
    }

    private suspend fun runUntilCancelled(context: Context, owner: LifecycleOwner, facing: CameraSelector) {
        val provider = ProcessCameraProvider.awaitInstance(context)
        // Preview and analysis both default to 4:3, so the overlay matches the preview.
        val preview = Preview.Builder().build().apply { setSurfaceProvider { onSurface(it) } }
        val analysis = analysis()
        val camera = provider.bindToLifecycle(owner, facing, preview, analysis)
        val reports = Observer<CameraState> { report(it) }
        val displays = context.getSystemService(DisplayManager::class.java)
        // A turn from one landscape orientation to the other does not recreate the activity.
        val turns = TurnListener(displays) { rotation ->
            preview.targetRotation = rotation
            analysis.targetRotation = rotation
        }
        camera.cameraInfo.cameraState.observe(owner, reports)
        displays.registerDisplayListener(turns, null)
        try {
            awaitCancellation()
        } finally {
            displays.unregisterDisplayListener(turns)
            camera.cameraInfo.cameraState.removeObserver(reports)
            analysis.clearAnalyzer()
            provider.unbind(preview, analysis)
        }
    }

    private fun analysis(): ImageAnalysis {
        val analysis = ImageAnalysis.Builder()
            .setBackpressureStrategy(ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST)
            .setOutputImageFormat(ImageAnalysis.OUTPUT_IMAGE_FORMAT_RGBA_8888)
            .setOutputImageRotationEnabled(true)
            .build()
        var lastMs = 0L
        analysis.setAnalyzer(executor) { image ->
            image.use {
                lastMs = maxOf(lastMs + 1, SystemClock.uptimeMillis())
                onFrame(it.toBitmap(), lastMs)
            }
        }
        return analysis
    }

    private fun report(state: CameraState) {
        val error = state.error
        if (error != null) onLost("Camera error ${error.code}") else if (state.type == CameraState.Type.OPEN) onFound()
    }
}

/** Reports every change in the rotation of the phone's built-in display. */
private class TurnListener(
    private val displays: DisplayManager,
    private val onTurn: (Int) -> Unit,
) : DisplayManager.DisplayListener {
    override fun onDisplayChanged(displayId: Int) {
        if (displayId == Display.DEFAULT_DISPLAY) displays.getDisplay(displayId)?.let { onTurn(it.rotation) }
    }

    override fun onDisplayAdded(displayId: Int) = Unit

    override fun onDisplayRemoved(displayId: Int) = Unit
}
