// Written from https://developer.android.com/reference/kotlin/androidx/compose/ui/platform/package-summary
package androidx.compose.ui.platform

import android.content.Context
import androidx.compose.runtime.ProvidableCompositionLocal

val LocalContext: ProvidableCompositionLocal<Context> get() = TODO()
