// Written from https://developer.android.com/reference/kotlin/androidx/lifecycle/compose/package-summary
package androidx.lifecycle.compose

import androidx.compose.runtime.Composable
import androidx.compose.runtime.ProvidableCompositionLocal
import androidx.compose.runtime.State
import androidx.lifecycle.LifecycleOwner
import kotlinx.coroutines.flow.StateFlow

val LocalLifecycleOwner: ProvidableCompositionLocal<LifecycleOwner> get() = TODO()

interface LifecyclePauseOrDisposeEffectResult

class LifecycleResumePauseEffectScope {
    fun onPauseOrDispose(effect: LifecycleOwner.() -> Unit): LifecyclePauseOrDisposeEffectResult = TODO()
}

@Composable
fun LifecycleResumeEffect(
    key1: Any?,
    effects: LifecycleResumePauseEffectScope.() -> LifecyclePauseOrDisposeEffectResult,
): Unit = TODO()

@Composable
fun <T> StateFlow<T>.collectAsStateWithLifecycle(): State<T> = TODO()
