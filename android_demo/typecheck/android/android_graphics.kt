// Written from https://developer.android.com/reference/android/graphics/Bitmap
package android.graphics

class Bitmap private constructor()
