package org.skelgnn.demo.ui

import android.Manifest
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.provider.Settings
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.compose.LifecycleResumeEffect
import org.skelgnn.demo.R

/** Shows [content] once the camera permission is granted. Requests it first; if denied, links to the settings. */
@Composable
fun CameraPermission(content: @Composable () -> Unit) {
    val context = LocalContext.current
    var isGranted by remember { mutableStateOf(context.mayUseCamera()) }
    val ask = rememberLauncherForActivityResult(ActivityResultContracts.RequestPermission()) { isGranted = it }
    LaunchedEffect(Unit) { if (!isGranted) ask.launch(Manifest.permission.CAMERA) }
    // The user may have changed the permission in the settings.
    LifecycleResumeEffect(Unit) {
        isGranted = context.mayUseCamera()
        onPauseOrDispose { }
    }
    if (isGranted) {
        content()
    } else {
        Message(
            stringResource(R.string.no_permission),
            stringResource(R.string.no_permission_why),
            stringResource(R.string.open_settings) to { context.openSettings() },
        )
    }
}

private fun Context.mayUseCamera(): Boolean =
    checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED

private fun Context.openSettings() =
    startActivity(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", packageName, null)))
