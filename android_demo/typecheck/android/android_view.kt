// Written from https://developer.android.com/reference/android/view/Display, .../Window and
// .../WindowManager.LayoutParams; Java's getters as properties.
package android.view

class Display private constructor() {
    val rotation: Int get() = TODO()

    companion object {
        const val DEFAULT_DISPLAY = 0
    }
}

abstract class Window {
    fun addFlags(flags: Int): Unit = TODO()
}

interface WindowManager {
    class LayoutParams {
        companion object {
            const val FLAG_KEEP_SCREEN_ON = 0x80
        }
    }
}
