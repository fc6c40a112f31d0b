// Written from https://developer.android.com/reference/kotlin/androidx/compose/ui/graphics/package-summary
package androidx.compose.ui.graphics

class Color private constructor() {
    fun copy(alpha: Float): Color = TODO()
}

fun Color(color: Long): Color = TODO()

interface Shape

class StrokeCap private constructor() {
    companion object {
        val Butt: StrokeCap get() = TODO()
        val Round: StrokeCap get() = TODO()
    }
}
