// Written from https://developer.android.com/reference/android/content/Context and .../Intent; Java's getters as
// properties.
package android.content

import android.content.res.AssetManager
import android.content.res.Resources
import android.net.Uri

abstract class Context {
    val assets: AssetManager get() = TODO()
    val packageName: String get() = TODO()
    val resources: Resources get() = TODO()

    fun checkSelfPermission(permission: String): Int = TODO()

    fun <T> getSystemService(serviceClass: Class<T>): T = TODO()

    fun startActivity(intent: Intent): Unit = TODO()
}

class Intent(action: String, uri: Uri?)
