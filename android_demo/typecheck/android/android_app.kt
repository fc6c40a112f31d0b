// Written from https://developer.android.com/reference/android/app/Application
package android.app

import android.content.Context

abstract class Activity : Context()

open class Application : Context()
