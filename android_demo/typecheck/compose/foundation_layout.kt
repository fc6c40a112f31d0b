// Written from https://developer.android.com/reference/kotlin/androidx/compose/foundation/layout/package-summary
package androidx.compose.foundation.layout

import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.Dp

interface BoxScope {
    fun Modifier.align(alignment: Alignment): Modifier
}

interface ColumnScope

interface RowScope

object Arrangement {
    interface Vertical

    interface HorizontalOrVertical : Vertical

    val Top: Vertical get() = TODO()

    fun spacedBy(space: Dp): HorizontalOrVertical = TODO()

    fun spacedBy(space: Dp, alignment: Alignment.Vertical): Vertical = TODO()
}

@Composable
inline fun Box(
    modifier: Modifier = Modifier,
    contentAlignment: Alignment = Alignment.TopStart,
    propagateMinConstraints: Boolean = false,
    content: @Composable BoxScope.() -> Unit,
): Unit = TODO()

@Composable
inline fun Column(
    modifier: Modifier = Modifier,
    verticalArrangement: Arrangement.Vertical = Arrangement.Top,
    horizontalAlignment: Alignment.Horizontal = Alignment.Start,
    content: @Composable ColumnScope.() -> Unit,
): Unit = TODO()

fun Modifier.fillMaxSize(fraction: Float = 1f): Modifier = TODO()

fun Modifier.padding(all: Dp): Modifier = TODO()

fun Modifier.size(size: Dp): Modifier = TODO()

fun Modifier.safeDrawingPadding(): Modifier = TODO()
