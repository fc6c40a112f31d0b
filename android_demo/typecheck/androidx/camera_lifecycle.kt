// Written from https://github.com/androidx/androidx/blob/androidx-main/camera/camera-lifecycle/api/current.txt
package androidx.camera.lifecycle

import android.content.Context
import androidx.camera.core.Camera
import androidx.camera.core.CameraSelector
import androidx.camera.core.UseCase
import androidx.camera.core.UseCaseGroup
import androidx.lifecycle.LifecycleOwner

class ProcessCameraProvider private constructor() {
    fun bindToLifecycle(owner: LifecycleOwner, selector: CameraSelector, useCaseGroup: UseCaseGroup): Camera = TODO()

    fun unbind(vararg useCases: UseCase?): Unit = TODO()

    companion object
}

suspend fun ProcessCameraProvider.Companion.awaitInstance(context: Context): ProcessCameraProvider = TODO()
