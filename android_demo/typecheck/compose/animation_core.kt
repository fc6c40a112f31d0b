// Written from https://developer.android.com/reference/kotlin/androidx/compose/animation/core/package-summary
package androidx.compose.animation.core

import androidx.compose.runtime.Composable
import androidx.compose.runtime.State

class InfiniteTransition private constructor()

fun interface Easing {
    fun transform(fraction: Float): Float
}

val LinearEasing: Easing get() = TODO()

interface DurationBasedAnimationSpec<T>

class TweenSpec<T> private constructor() : DurationBasedAnimationSpec<T>

class InfiniteRepeatableSpec<T> private constructor()

fun <T> tween(durationMillis: Int = 300, delayMillis: Int = 0, easing: Easing = LinearEasing): TweenSpec<T> = TODO()

fun <T> infiniteRepeatable(animation: DurationBasedAnimationSpec<T>): InfiniteRepeatableSpec<T> = TODO()

@Composable
fun rememberInfiniteTransition(label: String = "InfiniteTransition"): InfiniteTransition = TODO()

@Composable
fun InfiniteTransition.animateFloat(
    initialValue: Float,
    targetValue: Float,
    animationSpec: InfiniteRepeatableSpec<Float>,
    label: String = "FloatAnimation",
): State<Float> = TODO()
