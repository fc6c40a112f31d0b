// Written from https://developer.android.com/reference/kotlin/androidx/compose/runtime/saveable/package-summary
package androidx.compose.runtime.saveable

import androidx.compose.runtime.Composable
import androidx.compose.runtime.MutableState

@Composable
fun <T> rememberSaveable(init: () -> MutableState<T>): MutableState<T> = TODO()
