// Written from https://developer.android.com/reference/kotlin/androidx/compose/material3/package-summary
// without the parameters that the app leaves at their defaults.
package androidx.compose.material3

import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.RowScope
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.style.TextAlign

class ColorScheme private constructor() {
    val background: Color get() = TODO()
}

class Typography private constructor() {
    val displayLarge: TextStyle get() = TODO()
    val headlineSmall: TextStyle get() = TODO()
    val titleLarge: TextStyle get() = TODO()
    val titleMedium: TextStyle get() = TODO()
    val bodyMedium: TextStyle get() = TODO()
    val bodySmall: TextStyle get() = TODO()
}

object MaterialTheme {
    val colorScheme: ColorScheme
        @Composable get() = TODO()
    val typography: Typography
        @Composable get() = TODO()
}

fun darkColorScheme(): ColorScheme = TODO()

@Composable
fun MaterialTheme(colorScheme: ColorScheme = darkColorScheme(), content: @Composable () -> Unit): Unit = TODO()

@Composable
fun Surface(
    modifier: Modifier = Modifier,
    shape: Shape = TODO(),
    color: Color = TODO(),
    content: @Composable () -> Unit,
): Unit = TODO()

@Composable
fun Text(
    text: String,
    modifier: Modifier = Modifier,
    textAlign: TextAlign? = null,
    style: TextStyle = TODO(),
): Unit = TODO()

@Composable
fun Button(onClick: () -> Unit, modifier: Modifier = Modifier, content: @Composable RowScope.() -> Unit): Unit = TODO()

@Composable
fun TextButton(onClick: () -> Unit, modifier: Modifier = Modifier, content: @Composable RowScope.() -> Unit): Unit =
    TODO()

@Composable
fun DropdownMenu(
    expanded: Boolean,
    onDismissRequest: () -> Unit,
    modifier: Modifier = Modifier,
    content: @Composable ColumnScope.() -> Unit,
): Unit = TODO()

@Composable
fun DropdownMenuItem(text: @Composable () -> Unit, onClick: () -> Unit, modifier: Modifier = Modifier): Unit = TODO()
