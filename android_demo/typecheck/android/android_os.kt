// Written from https://developer.android.com/reference/android/os/SystemClock, .../Bundle and .../Handler
package android.os

class Bundle

open class Handler

class SystemClock private constructor() {
    companion object {
        fun uptimeMillis(): Long = TODO()
    }
}
