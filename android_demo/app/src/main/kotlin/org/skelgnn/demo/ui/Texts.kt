package org.skelgnn.demo.ui

import androidx.compose.runtime.Composable
import androidx.compose.ui.res.stringResource
import org.skelgnn.core.Cue
import org.skelgnn.demo.R

/** Name of an exercise as people write it. */
internal fun spoken(exercise: String) = exercise.replace('_', ' ')

@Composable
internal fun cueText(cue: Cue): String = when (cue) {
    is Cue.NotVisible -> stringResource(R.string.not_visible, cue.parts.joinToString())
    Cue.TargetReached -> stringResource(R.string.target_reached)
    Cue.Partial -> stringResource(R.string.partial)
    is Cue.Depth -> stringResource(R.string.depth, cue.depthDeg, cue.targetDeg)
    is Cue.Held -> stringResource(R.string.held, cue.heldS, cue.targetS)
    is Cue.Uneven -> stringResource(
        if (cue.lower == "left") R.string.left_less else R.string.right_less,
        cue.differenceDeg,
        cue.mostDeg,
    )
}
