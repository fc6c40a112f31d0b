package org.skelgnn.demo.ui

import androidx.compose.foundation.Canvas
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.graphics.drawscope.DrawScope
import androidx.compose.ui.unit.dp
import com.google.mediapipe.tasks.vision.poselandmarker.PoseLandmarker
import org.skelgnn.core.Keypoints

/** Left is orange and right is blue, as in all figures of the project. */
internal val LEFT = Color(0xFFFF8C1A)
internal val RIGHT = Color(0xFF3D8BFF)
internal val MIDDLE = Color(0xFFE0E0E0)
internal val PANEL = Color(0xB0101418)

private const val MIN_CONFIDENCE = 0.5f

/** Draws the 2D skeleton over the camera preview, which is centered and cropped to fill the screen. */
@Composable
fun KeypointOverlay(keypoints: Keypoints, isMirrored: Boolean) {
    Canvas(Modifier.fillMaxSize()) {
        PoseLandmarker.POSE_LANDMARKS.forEach { bone -> drawBone(keypoints, bone.start(), bone.end(), isMirrored) }
    }
}

private fun DrawScope.drawBone(keypoints: Keypoints, start: Int, end: Int, isMirrored: Boolean) {
    if (minOf(keypoints.confidence(start), keypoints.confidence(end)) < MIN_CONFIDENCE) return
    // From the shoulders on, MediaPipe's landmarks on the left have odd indices, and those on the right even ones.
    val color = if (start % 2 != end % 2) MIDDLE else if (end % 2 == 1) LEFT else RIGHT
    val (from, to) = listOf(start, end).map { place(keypoints, it, isMirrored) }
    drawLine(color, from, to, 4.dp.toPx(), StrokeCap.Round)
}

private fun Keypoints.confidence(joint: Int) = values[joint * Keypoints.CHANNELS + 2]

private fun DrawScope.place(keypoints: Keypoints, joint: Int, isMirrored: Boolean): Offset {
    val scale = maxOf(size.width / keypoints.widthPx, size.height / keypoints.heightPx)
    val x = (keypoints.values[joint * Keypoints.CHANNELS] - keypoints.widthPx / 2f) * scale
    val y = (keypoints.values[joint * Keypoints.CHANNELS + 1] - keypoints.heightPx / 2f) * scale
    return Offset(size.width / 2 + if (isMirrored) -x else x, size.height / 2 + y)
}
