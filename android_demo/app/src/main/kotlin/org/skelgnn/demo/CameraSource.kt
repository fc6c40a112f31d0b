package org.skelgnn.demo

import android.content.Context
import android.content.res.Configuration
import android.graphics.Bitmap
import android.hardware.display.DisplayManager
import android.util.Rational
import android.view.Display
import androidx.camera.core.CameraSelector
import androidx.camera.core.CameraState
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.Preview
import androidx.camera.core.SurfaceRequest
import androidx.camera.core.UseCaseGroup
import androidx.camera.core.ViewPort
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.camera.lifecycle.awaitInstance
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.Observer
import java.util.concurrent.Executor
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.awaitCancellation

/**
 * Provides the camera's frames, upright and not mirrored, and a preview of the same part of the scene.
 *
 * @param executor Single-threaded executor that calls [onFrame].
 * @param onSurface Called with the surface request of the viewfinder.
 * @param onFrame Called with each processed frame; frames that arrive while a previous one is processed are dropped.
 * @param onLost Called with a reason when the camera is disconnected or cannot be opened.
 * @param onFound Called when the camera opens.
 */
class CameraSource(
    private val executor: Executor,
    private val onSurface: (SurfaceRequest) -> Unit,
    private val onFrame: (CameraFrame) -> Unit,
    private val onLost: (String) -> Unit,
    private val onFound: () -> Unit,
) {
    private val bitmap = FrameBitmap()

    /**
     * Runs the camera until the coroutine is cancelled. Call it on the main thread.
     *
     * @param session Number of this run, for its frames.
     */
    suspend fun run(context: Context, owner: LifecycleOwner, facing: CameraSelector, session: Int) {
        try {
            runUntilCancelled(context, owner, facing, session)
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (error: Exception) {
            // CameraX fails to start, the camera does not exist, or it does not support both use cases at once.
            onLost(error.message ?: error.toString())
        }
    }

    private suspend fun runUntilCancelled(
        context: Context,
        owner: LifecycleOwner,
        facing: CameraSelector,
        session: Int,
    ) {
        val provider = ProcessCameraProvider.awaitInstance(context)
        val preview = Preview.Builder().build().apply { setSurfaceProvider { onSurface(it) } }
        val analysis = analysis(session)
        val camera = provider.bindToLifecycle(owner, facing, together(context, preview, analysis))
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

    /** Both use cases with one view port, so that the overlay matches the preview whatever sizes the camera offers. */
    private fun together(context: Context, preview: Preview, analysis: ImageAnalysis): UseCaseGroup {
        val isUpright = context.resources.configuration.orientation == Configuration.ORIENTATION_PORTRAIT
        // Both default to 4:3, so usually nothing is cut off.
        val ratio = if (isUpright) Rational(3, 4) else Rational(4, 3)
        return UseCaseGroup.Builder()
            .setViewPort(ViewPort.Builder(ratio, preview.targetRotation).build())
            .addUseCase(preview)
            .addUseCase(analysis)
            .build()
    }

    private fun analysis(session: Int): ImageAnalysis {
        val analysis = ImageAnalysis.Builder()
            .setBackpressureStrategy(ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST)
            .setOutputImageFormat(ImageAnalysis.OUTPUT_IMAGE_FORMAT_RGBA_8888)
            .setOutputImageRotationEnabled(true)
            .build()
        analysis.setAnalyzer(executor) { image ->
            image.use { onFrame(CameraFrame(bitmap.of(it), it.imageInfo.timestamp, session)) }
        }
        return analysis
    }

    private fun report(state: CameraState) {
        val error = state.error
        if (error != null) onLost("Camera error ${error.code}") else if (state.type == CameraState.Type.OPEN) onFound()
    }
}

/**
 * A frame of the camera.
 *
 * @property image Upright, not mirrored, ARGB_8888; valid until the next frame.
 * @property timestampNs When it was taken, in nanoseconds of the camera's clock.
 * @property session Number of the camera's run.
 */
class CameraFrame(val image: Bitmap, val timestampNs: Long, val session: Int)

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
