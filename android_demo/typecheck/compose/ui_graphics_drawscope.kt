// Written from https://developer.android.com/reference/kotlin/androidx/compose/ui/graphics/drawscope/DrawScope
package androidx.compose.ui.graphics.drawscope

import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.unit.Density

interface DrawScope : Density {
    val size: Size

    fun drawLine(color: Color, start: Offset, end: Offset, strokeWidth: Float = 0f, cap: StrokeCap = StrokeCap.Butt)
}
