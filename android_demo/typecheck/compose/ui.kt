// Written from https://developer.android.com/reference/kotlin/androidx/compose/ui/package-summary
package androidx.compose.ui

interface Modifier {
    companion object : Modifier
}

fun interface Alignment {
    fun align(): Int

    fun interface Horizontal {
        fun align(): Int
    }

    fun interface Vertical {
        fun align(): Int
    }

    companion object {
        val TopCenter: Alignment get() = TODO()
        val Center: Alignment get() = TODO()
        val BottomStart: Alignment get() = TODO()
        val BottomEnd: Alignment get() = TODO()
        val TopStart: Alignment get() = TODO()
        val CenterVertically: Vertical get() = TODO()
        val Top: Vertical get() = TODO()
        val CenterHorizontally: Horizontal get() = TODO()
        val Start: Horizontal get() = TODO()
        val End: Horizontal get() = TODO()
    }
}
