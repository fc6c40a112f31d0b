// Declarations that the Compose compiler plugin looks up. Written from
// https://android.googlesource.com/platform/frameworks/support/+/androidx-main/compose/runtime/runtime/api/current.txt
package androidx.compose.runtime.internal

import androidx.compose.runtime.Composable
import androidx.compose.runtime.Composer

@Retention(AnnotationRetention.BINARY)
annotation class StabilityInferred(val parameters: Int)

@Retention(AnnotationRetention.BINARY)
annotation class FunctionKeyMeta(val key: Int, val startOffset: Int, val endOffset: Int)

interface ComposableLambda

fun composableLambda(composer: Composer, key: Int, tracked: Boolean, block: Any): ComposableLambda = TODO()

fun composableLambdaInstance(key: Int, tracked: Boolean, block: Any): ComposableLambda = TODO()

@Composable
fun rememberComposableLambda(key: Int, tracked: Boolean, block: Any): ComposableLambda = TODO()
