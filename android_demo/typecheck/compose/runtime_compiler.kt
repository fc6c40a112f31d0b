// Declarations that the Compose compiler plugin looks up. Written from
// https://android.googlesource.com/platform/frameworks/support/+/androidx-main/compose/runtime/runtime/api/current.txt
package androidx.compose.runtime

@Retention(AnnotationRetention.BINARY)
@Target(
    AnnotationTarget.FUNCTION,
    AnnotationTarget.TYPE,
    AnnotationTarget.TYPE_PARAMETER,
    AnnotationTarget.PROPERTY_GETTER,
)
annotation class Composable

@Retention(AnnotationRetention.BINARY)
@Target(AnnotationTarget.FUNCTION, AnnotationTarget.TYPE)
annotation class DisallowComposableCalls

interface ScopeUpdateScope {
    fun updateScope(block: (Composer, Int) -> Unit)
}

interface Composer {
    fun startReplaceableGroup(key: Int)

    fun endReplaceableGroup()

    fun startReplaceGroup(key: Int)

    fun endReplaceGroup()

    fun startMovableGroup(key: Int, dataKey: Any?)

    fun endMovableGroup()

    fun startDefaults()

    fun endDefaults()

    fun startRestartGroup(key: Int): Composer

    fun endRestartGroup(): ScopeUpdateScope?

    val skipping: Boolean
    val defaultsInvalid: Boolean
    val currentMarker: Int

    fun skipToGroupEnd()

    fun skipCurrentGroup()

    fun endToMarker(marker: Int)

    fun shouldExecute(parametersChanged: Boolean, flags: Int): Boolean

    fun rememberedValue(): Any?

    fun updateRememberedValue(value: Any?)

    fun changed(value: Any?): Boolean

    fun changed(value: Boolean): Boolean

    fun changed(value: Char): Boolean

    fun changed(value: Byte): Boolean

    fun changed(value: Short): Boolean

    fun changed(value: Int): Boolean

    fun changed(value: Float): Boolean

    fun changed(value: Long): Boolean

    fun changed(value: Double): Boolean

    fun changedInstance(value: Any?): Boolean

    fun sourceInformation(sourceInformation: String)

    fun sourceInformationMarkerStart(key: Int, sourceInformation: String)

    fun sourceInformationMarkerEnd()

    companion object {
        val Empty: Any = Any()
    }
}

fun sourceInformation(composer: Composer, sourceInformation: String): Unit = TODO()

fun sourceInformationMarkerStart(composer: Composer, key: Int, sourceInformation: String): Unit = TODO()

fun sourceInformationMarkerEnd(composer: Composer): Unit = TODO()

fun isTraceInProgress(): Boolean = TODO()

fun traceEventStart(key: Int, dirty1: Int, dirty2: Int, info: String): Unit = TODO()

fun traceEventEnd(): Unit = TODO()

fun updateChangedFlags(flags: Int): Int = TODO()

inline fun <T> Composer.cache(invalid: Boolean, block: () -> T): T = TODO()

object ComposeVersion {
    const val version = 12000
}
