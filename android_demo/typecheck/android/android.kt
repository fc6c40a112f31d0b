// Written from https://developer.android.com/reference/android/Manifest.permission
package android

class Manifest {
    class permission {
        companion object {
            const val CAMERA = "android.permission.CAMERA"
        }
    }
}
