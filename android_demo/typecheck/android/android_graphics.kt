// Written from https://developer.android.com/reference/android/graphics/Bitmap and .../Rect; Java's getters as
// properties.
package android.graphics

import java.nio.Buffer

class Bitmap private constructor() {
    val width: Int get() = TODO()
    val height: Int get() = TODO()

    fun copyPixelsFromBuffer(src: Buffer): Unit = TODO()

    enum class Config { ARGB_8888 }

    companion object {
        fun createBitmap(width: Int, height: Int, config: Config): Bitmap = TODO()
    }
}

class Rect {
    @JvmField var left: Int = 0
    @JvmField var top: Int = 0
    @JvmField var right: Int = 0
    @JvmField var bottom: Int = 0

    fun width(): Int = TODO()

    fun height(): Int = TODO()
}
