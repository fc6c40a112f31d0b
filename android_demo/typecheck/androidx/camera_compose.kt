// Written from https://developer.android.com/reference/kotlin/androidx/camera/compose/package-summary
// without the parameters that the app leaves at their defaults.
package androidx.camera.compose

import androidx.camera.core.SurfaceRequest
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier

@Composable
fun CameraXViewfinder(
    surfaceRequest: SurfaceRequest,
    modifier: Modifier = Modifier,
    alignment: Alignment = Alignment.Center,
): Unit = TODO()
