// Written from https://developer.android.com/reference/kotlin/androidx/lifecycle/package-summary
package androidx.lifecycle

import android.app.Application
import kotlinx.coroutines.CoroutineScope

interface LifecycleOwner

fun interface Observer<T> {
    fun onChanged(value: T)
}

abstract class LiveData<T> {
    fun observe(owner: LifecycleOwner, observer: Observer<in T>): Unit = TODO()

    fun removeObserver(observer: Observer<in T>): Unit = TODO()
}

abstract class ViewModel {
    protected open fun onCleared(): Unit = TODO()
}

open class AndroidViewModel(application: Application) : ViewModel() {
    fun <T : Application> getApplication(): T = TODO()
}

val ViewModel.viewModelScope: CoroutineScope get() = TODO()
