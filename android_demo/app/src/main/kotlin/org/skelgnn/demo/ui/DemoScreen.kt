package org.skelgnn.demo.ui

import androidx.camera.compose.CameraXViewfinder
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableIntStateOf
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.compose.LocalLifecycleOwner
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import org.skelgnn.demo.DemoViewModel
import org.skelgnn.demo.R
import org.skelgnn.demo.ScreenState

/** The whole screen: the camera preview with the skeletons, or the reason why they are not available. */
@Composable
fun DemoScreen(viewModel: DemoViewModel) {
    Surface(Modifier.fillMaxSize(), color = MaterialTheme.colorScheme.background) {
        CameraPermission { CameraScreen(viewModel) }
    }
}

@Composable
private fun CameraScreen(viewModel: DemoViewModel) {
    val state by viewModel.state.collectAsStateWithLifecycle()
    val workout by viewModel.workout.collectAsStateWithLifecycle()
    val surfaceRequest by viewModel.surfaceRequest.collectAsStateWithLifecycle()
    val owner = LocalLifecycleOwner.current
    var isFront by rememberSaveable { mutableStateOf(true) }
    var attempt by remember { mutableIntStateOf(0) }
    LaunchedEffect(owner, isFront, attempt) { viewModel.runCamera(owner, isFront) }

    Box(Modifier.fillMaxSize()) {
        surfaceRequest?.let { CameraXViewfinder(it, Modifier.fillMaxSize()) }
        when (val now = state) {
            ScreenState.Starting -> Notice(stringResource(R.string.starting))
            is ScreenState.NoModel -> Message(stringResource(R.string.no_model), now.reason)
            is ScreenState.CameraLost -> Message(
                stringResource(R.string.camera_lost),
                now.reason,
                stringResource(R.string.try_again) to { attempt++ },
            )
            is ScreenState.DetectorFailed -> Message(
                stringResource(R.string.detector_failed),
                now.reason,
                stringResource(R.string.try_again) to viewModel::restartDetector,
            )
            ScreenState.NoPerson -> Notice(stringResource(R.string.no_person))
            ScreenState.Turned -> Notice(stringResource(R.string.turned))
            is ScreenState.Tracking -> TrackingView(now.frame, isMirrored = isFront)
        }
        Controls(workout, viewModel::start, onSwitchCamera = { isFront = !isFront })
    }
}
