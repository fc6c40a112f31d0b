// Written from https://developer.android.com/reference/android/net/Uri
package android.net

abstract class Uri {
    companion object {
        fun fromParts(scheme: String, ssp: String, fragment: String?): Uri = TODO()
    }
}
