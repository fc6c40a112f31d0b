// Written from https://developer.android.com/reference/android/hardware/display/DisplayManager
package android.hardware.display

import android.os.Handler
import android.view.Display

class DisplayManager private constructor() {
    interface DisplayListener {
        fun onDisplayAdded(displayId: Int)

        fun onDisplayRemoved(displayId: Int)

        fun onDisplayChanged(displayId: Int)
    }

    fun getDisplay(displayId: Int): Display? = TODO()

    fun registerDisplayListener(listener: DisplayListener, handler: Handler?): Unit = TODO()

    fun unregisterDisplayListener(listener: DisplayListener): Unit = TODO()
}
