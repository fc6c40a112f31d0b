// Written from https://developer.android.com/reference/kotlin/androidx/compose/ui/text/TextStyle
package androidx.compose.ui.text

class TextStyle private constructor()
