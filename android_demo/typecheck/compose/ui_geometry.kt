// Written from https://developer.android.com/reference/kotlin/androidx/compose/ui/geometry/package-summary
package androidx.compose.ui.geometry

class Offset private constructor()

fun Offset(x: Float, y: Float): Offset = TODO()

class Size private constructor() {
    val width: Float get() = TODO()
    val height: Float get() = TODO()
    val minDimension: Float get() = TODO()
}
