// Written from https://developer.android.com/reference/kotlin/androidx/compose/ui/unit/package-summary
package androidx.compose.ui.unit

class Dp private constructor()

val Int.dp: Dp get() = TODO()

interface Density {
    fun Dp.toPx(): Float
}
