// Written from https://developer.android.com/reference/kotlin/androidx/compose/ui/text/style/TextAlign
package androidx.compose.ui.text.style

class TextAlign private constructor() {
    companion object {
        val Center: TextAlign get() = TODO()
    }
}
