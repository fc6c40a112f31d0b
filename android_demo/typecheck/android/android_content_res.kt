// Written from https://developer.android.com/reference/android/content/res/AssetManager, .../Resources and
// .../Configuration; Java's getters as properties.
package android.content.res

import java.io.InputStream

class AssetManager private constructor() {
    fun open(fileName: String): InputStream = TODO()
}

open class Resources private constructor() {
    val configuration: Configuration get() = TODO()
}

class Configuration {
    @JvmField var orientation: Int = 0

    companion object {
        const val ORIENTATION_PORTRAIT = 1
    }
}
