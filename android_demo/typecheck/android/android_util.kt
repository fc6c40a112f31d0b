// Written from https://developer.android.com/reference/android/util/Rational
package android.util

class Rational(numerator: Int, denominator: Int)
