package org.skelgnn.demo

import android.graphics.Bitmap
import android.graphics.Rect
import androidx.camera.core.ImageProxy
import java.nio.ByteBuffer

/**
 * Copies the visible part of the camera's RGBA images into a bitmap that is reused, because a new one for each frame
 * keeps the garbage collector busy.
 */
class FrameBitmap {
    private var bitmap: Bitmap? = null
    private var pixels = ByteBuffer.allocateDirect(0)

    /** Returns the part of the image in the view port. It is valid until the next call. */
    fun of(image: ImageProxy): Bitmap {
        val crop = image.cropRect
        val plane = image.planes.first()
        copyRows(plane.buffer, plane.rowStride, crop)
        val target = bitmap?.takeIf { it.width == crop.width() && it.height == crop.height() }
            ?: Bitmap.createBitmap(crop.width(), crop.height(), Bitmap.Config.ARGB_8888)
        target.copyPixelsFromBuffer(pixels)
        bitmap = target
        return target
    }

    /** Copies the rows of a crop into [pixels], without what is outside it and the padding of the rows. */
    private fun copyRows(source: ByteBuffer, rowStride: Int, crop: Rect) {
        val size = BYTES_PER_PIXEL * crop.width() * crop.height()
        if (pixels.capacity() != size) pixels = ByteBuffer.allocateDirect(size)
        pixels.clear()
        val row = source.duplicate()
        for (y in crop.top..<crop.bottom) {
            val start = y * rowStride + BYTES_PER_PIXEL * crop.left
            row.limit(start + BYTES_PER_PIXEL * crop.width())
            row.position(start)
            pixels.put(row)
            row.clear()
        }
        pixels.flip()
    }

    private companion object {
        const val BYTES_PER_PIXEL = 4
    }
}
