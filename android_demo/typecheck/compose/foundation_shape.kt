// Written from https://developer.android.com/reference/kotlin/androidx/compose/foundation/shape/package-summary
package androidx.compose.foundation.shape

import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.unit.Dp

class RoundedCornerShape private constructor() : Shape

fun RoundedCornerShape(size: Dp): RoundedCornerShape = TODO()
