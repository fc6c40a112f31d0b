package org.skelgnn.demo.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.Button
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp

/** A full-screen error with a title, a detail and optionally a button, given as its text and action. */
@Composable
fun Message(title: String, detail: String, button: Pair<String, () -> Unit>? = null) {
    Surface(Modifier.fillMaxSize(), color = MaterialTheme.colorScheme.background) {
        Column(
            Modifier.safeDrawingPadding().padding(24.dp),
            verticalArrangement = Arrangement.spacedBy(16.dp, Alignment.CenterVertically),
            horizontalAlignment = Alignment.CenterHorizontally,
        ) {
            Text(title, style = MaterialTheme.typography.headlineSmall, textAlign = TextAlign.Center)
            Text(detail, style = MaterialTheme.typography.bodyMedium, textAlign = TextAlign.Center)
            button?.let { (text, act) -> Button(onClick = act) { Text(text) } }
        }
    }
}

/** A short notice over the camera preview. */
@Composable
fun Notice(text: String) {
    Box(Modifier.fillMaxSize().safeDrawingPadding().padding(16.dp), contentAlignment = Alignment.TopCenter) {
        Surface(shape = RoundedCornerShape(16.dp), color = PANEL) {
            val style = MaterialTheme.typography.titleMedium
            Text(text, Modifier.padding(16.dp), textAlign = TextAlign.Center, style = style)
        }
    }
}
