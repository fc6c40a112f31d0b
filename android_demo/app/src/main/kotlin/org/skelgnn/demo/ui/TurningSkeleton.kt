package org.skelgnn.demo.ui

import androidx.compose.animation.core.LinearEasing
import androidx.compose.animation.core.animateFloat
import androidx.compose.animation.core.infiniteRepeatable
import androidx.compose.animation.core.rememberInfiniteTransition
import androidx.compose.animation.core.tween
import androidx.compose.foundation.Canvas
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.graphics.drawscope.DrawScope
import androidx.compose.ui.unit.dp
import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sin
import org.skelgnn.core.Pose
import org.skelgnn.core.Skeleton

private const val TURN_MS = 10_000
private const val HEIGHT_M = 2.4f
private const val PITCH_RAD = 0.2f
private const val GHOST = 0.25f

/**
 * Draws the 3D pose rotating about the vertical axis through its root, with the same scale on all axes. Bones to joints
 * that are not seen are faint.
 */
@Composable
fun TurningSkeleton(skeleton: Skeleton, pose: Pose, modifier: Modifier = Modifier) {
    val turn by rememberInfiniteTransition("turn").animateFloat(
        initialValue = 0f,
        targetValue = (2 * PI).toFloat(),
        animationSpec = infiniteRepeatable(tween(TURN_MS, easing = LinearEasing)),
        label = "turn",
    )
    Canvas(modifier) {
        val places = skeleton.joints.indices.map { joint -> seenFrom(turn, pose, joint) }
        // Draw distant bones first, so that near ones cover them.
        skeleton.bones.sortedByDescending { (child, parent) -> places[child].depthM + places[parent].depthM }
            .forEach { (child, parent) ->
                val isSeen = listOf(child, parent).none { pose.jointsM[3 * it].isNaN() }
                drawBone(boneColor(skeleton.joints[child], isSeen), places[child], places[parent])
            }
    }
}

/** Position of a joint in the rotated view: meters to the right, downwards and away from the viewer. */
private class Place(val rightM: Float, val downM: Float, val depthM: Float)

private fun seenFrom(yawRad: Float, pose: Pose, joint: Int): Place {
    val (x, y, z) = pose.guessM.slice(3 * joint..3 * joint + 2).map { it.toFloat() }
    val depth = z * cos(yawRad) - x * sin(yawRad)
    return Place(
        rightM = x * cos(yawRad) + z * sin(yawRad),
        downM = y * cos(PITCH_RAD) - depth * sin(PITCH_RAD),
        depthM = depth * cos(PITCH_RAD) + y * sin(PITCH_RAD),
    )
}

private fun boneColor(child: String, isSeen: Boolean): Color {
    val color = if (child.startsWith("left_")) LEFT else if (child.startsWith("right_")) RIGHT else MIDDLE
    return if (isSeen) color else color.copy(alpha = GHOST)
}

private fun DrawScope.drawBone(color: Color, from: Place, to: Place) =
    drawLine(color, place(from), place(to), 3.dp.toPx(), StrokeCap.Round)

private fun DrawScope.place(joint: Place): Offset {
    val pxPerM = size.minDimension / HEIGHT_M
    return Offset(size.width / 2 + joint.rightM * pxPerM, size.height / 2 + joint.downM * pxPerM)
}
