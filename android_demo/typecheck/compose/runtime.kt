// Written from https://developer.android.com/reference/kotlin/androidx/compose/runtime/package-summary
package androidx.compose.runtime

import kotlin.reflect.KProperty
import kotlinx.coroutines.CoroutineScope

abstract class CompositionContext

sealed class CompositionLocal<T> {
    inline val current: T
        @Composable get() = TODO()
}

abstract class ProvidableCompositionLocal<T> : CompositionLocal<T>()

interface State<out T> {
    val value: T
}

interface MutableState<T> : State<T> {
    override var value: T
}

interface MutableIntState : State<Int> {
    override val value: Int
    var intValue: Int
}

operator fun <T> State<T>.getValue(thisObj: Any?, property: KProperty<*>): T = TODO()

operator fun <T> MutableState<T>.setValue(thisObj: Any?, property: KProperty<*>, value: T): Unit = TODO()

operator fun MutableIntState.getValue(thisObj: Any?, property: KProperty<*>): Int = TODO()

operator fun MutableIntState.setValue(thisObj: Any?, property: KProperty<*>, value: Int): Unit = TODO()

fun <T> mutableStateOf(value: T): MutableState<T> = TODO()

fun mutableIntStateOf(value: Int): MutableIntState = TODO()

@Composable
inline fun <T> remember(crossinline calculation: @DisallowComposableCalls () -> T): T = TODO()

@Composable
inline fun <T> remember(key1: Any?, crossinline calculation: @DisallowComposableCalls () -> T): T = TODO()

@Composable
inline fun <T> remember(key1: Any?, key2: Any?, crossinline calculation: @DisallowComposableCalls () -> T): T = TODO()

@Composable
inline fun <T> remember(
    key1: Any?,
    key2: Any?,
    key3: Any?,
    crossinline calculation: @DisallowComposableCalls () -> T,
): T = TODO()

@Composable
inline fun <T> remember(vararg keys: Any?, crossinline calculation: @DisallowComposableCalls () -> T): T = TODO()

@Composable
fun LaunchedEffect(key1: Any?, block: suspend CoroutineScope.() -> Unit): Unit = TODO()

@Composable
fun LaunchedEffect(key1: Any?, key2: Any?, key3: Any?, block: suspend CoroutineScope.() -> Unit): Unit = TODO()
