// Written from https://developer.android.com/reference/android/content/pm/PackageManager
package android.content.pm

abstract class PackageManager {
    companion object {
        const val PERMISSION_GRANTED = 0
    }
}
