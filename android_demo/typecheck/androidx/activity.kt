// Written from https://developer.android.com/reference/kotlin/androidx/activity/package-summary and
// https://developer.android.com/reference/androidx/core/app/ComponentActivity
package androidx.activity

import android.os.Bundle
import android.view.Window
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.ViewModel

open class ComponentActivity : android.app.Activity(), LifecycleOwner {
    val window: Window get() = TODO()

    protected open fun onCreate(savedInstanceState: Bundle?): Unit = TODO()
}

fun ComponentActivity.enableEdgeToEdge(): Unit = TODO()

inline fun <reified VM : ViewModel> ComponentActivity.viewModels(): Lazy<VM> = TODO()
