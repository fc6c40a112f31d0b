package org.skelgnn.demo.ui

import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.DropdownMenu
import androidx.compose.material3.DropdownMenuItem
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import org.skelgnn.core.RepetitionCounter
import org.skelgnn.demo.R
import org.skelgnn.demo.Workout

private val EXERCISES = listOf(null) + RepetitionCounter.EXERCISES
private val TARGETS = listOf(null, 5, 8, 10, 12, 15, 20, 30)

/** Buttons for the exercise, the target, a new start and the camera. */
@Composable
fun Controls(workout: Workout, onChange: (Workout) -> Unit, onSwitchCamera: () -> Unit) {
    Box(Modifier.fillMaxSize().safeDrawingPadding().padding(16.dp), contentAlignment = Alignment.BottomEnd) {
        Surface(shape = RoundedCornerShape(16.dp), color = PANEL) {
            Column(horizontalAlignment = Alignment.End) {
                Picker(workout.exercise, EXERCISES, { exerciseText(it) }) { onChange(workout.withExercise(it)) }
                Picker(workout.target, TARGETS, { targetText(it) }) { onChange(workout.copy(target = it)) }
                TextButton(onClick = { onChange(workout.restarted()) }) { Text(stringResource(R.string.reset)) }
                TextButton(onClick = onSwitchCamera) { Text(stringResource(R.string.switch_camera)) }
            }
        }
    }
}

/** A button that shows the current choice and opens a menu of all choices. */
@Composable
private fun <T> Picker(chosen: T, choices: List<T>, text: @Composable (T) -> String, onChoose: (T) -> Unit) {
    var isOpen by remember { mutableStateOf(false) }
    Box {
        TextButton(onClick = { isOpen = true }) { Text(text(chosen)) }
        DropdownMenu(expanded = isOpen, onDismissRequest = { isOpen = false }) {
            choices.forEach { choice ->
                DropdownMenuItem(
                    text = { Text(text(choice)) },
                    onClick = {
                        isOpen = false
                        onChoose(choice)
                    },
                )
            }
        }
    }
}

@Composable
private fun exerciseText(exercise: String?) = exercise?.let(::spoken) ?: stringResource(R.string.automatic)

@Composable
private fun targetText(target: Int?) =
    if (target == null) stringResource(R.string.no_target) else stringResource(R.string.target, target)
