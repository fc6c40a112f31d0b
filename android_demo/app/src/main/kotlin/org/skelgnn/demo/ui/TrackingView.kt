package org.skelgnn.demo.ui

import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import org.skelgnn.core.RepetitionCounter
import org.skelgnn.demo.Latency
import org.skelgnn.demo.R
import org.skelgnn.demo.TrackedFrame

/** Shows a tracked person: 2D skeleton over the preview, exercise, count and cue above, 3D skeleton and times below. */
@Composable
fun TrackingView(frame: TrackedFrame, isMirrored: Boolean) {
    KeypointOverlay(frame.keypoints, isMirrored)
    Box(Modifier.fillMaxSize().safeDrawingPadding().padding(16.dp)) {
        Exercise(frame, Modifier.align(Alignment.TopCenter))
        Surface(Modifier.align(Alignment.BottomStart), shape = RoundedCornerShape(16.dp), color = PANEL) {
            Column(Modifier.padding(8.dp)) {
                TurningSkeleton(frame.skeleton, frame.pose, Modifier.size(180.dp))
                Times(frame.latency)
            }
        }
    }
}

@Composable
private fun Exercise(frame: TrackedFrame, modifier: Modifier) {
    val (count, exercise) = frame.repetitions
    Surface(modifier, shape = RoundedCornerShape(16.dp), color = PANEL) {
        Column(Modifier.padding(16.dp), horizontalAlignment = Alignment.CenterHorizontally) {
            Text(
                exercise?.let(::spoken) ?: stringResource(R.string.no_exercise),
                style = MaterialTheme.typography.titleLarge,
            )
            if (exercise in RepetitionCounter.EXERCISES) {
                val goal = frame.target?.let { " / $it" }.orEmpty()
                Text("$count$goal", style = MaterialTheme.typography.displayLarge)
            }
            frame.cues.firstOrNull()?.let { Text(cueText(it), textAlign = TextAlign.Center) }
        }
    }
}

@Composable
private fun Times(latency: Latency) {
    val numbers = arrayOf(latency.totalMs, latency.detectorMs, latency.modelsMs, latency.framesPerSecond)
    Text(stringResource(R.string.latency, *numbers), style = MaterialTheme.typography.bodySmall)
}
