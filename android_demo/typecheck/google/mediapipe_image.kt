// Written from https://ai.google.dev/edge/api/mediapipe/java/com/google/mediapipe/framework/image/package-summary;
// Java's getters as properties.
package com.google.mediapipe.framework.image

import android.graphics.Bitmap

class MPImage private constructor() : AutoCloseable {
    val width: Int get() = TODO()
    val height: Int get() = TODO()

    override fun close(): Unit = TODO()
}

class BitmapImageBuilder(bitmap: Bitmap) {
    fun build(): MPImage = TODO()
}
