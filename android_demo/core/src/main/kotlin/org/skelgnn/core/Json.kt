package org.skelgnn.core

/**
 * A JSON value and its path, so that errors name the location.
 *
 * Android provides `org.json`, but Kotlin's standard library has no JSON reader. This one keeps `core` free of
 * dependencies.
 *
 * @property value Map, List, String, Double, Boolean or null.
 * @property path Location of the value, e.g. `contract.json: skeleton.parents[3]`.
 */
internal class Json private constructor(private val value: Any?, private val path: String) {
    operator fun get(key: String): Json = find(key) ?: fail("have the key \"$key\"")

    /** Returns the value of a key, or null if the key is missing or its value is null. */
    fun find(key: String): Json? = fields[key]?.takeIf { it.value != null }

    val fields: Map<String, Json>
        get() = (value as? Map<*, *> ?: fail("be an object"))
            .entries.associate { (key, item) -> key as String to Json(item, "$path$dot$key") }

    val items: List<Json>
        get() = (value as? List<*> ?: fail("be a list")).mapIndexed { i, item -> Json(item, "$path[$i]") }

    private val dot get() = if (path.endsWith(':')) " " else "."

    val string: String get() = value as? String ?: fail("be a string")
    val double: Double get() = value as? Double ?: fail("be a number")
    val boolean: Boolean get() = value as? Boolean ?: fail("be true or false")
    val int: Int get() = double.toInt().also { if (it.toDouble() != double) fail("be an integer") }
    val strings: List<String> get() = items.map { it.string }
    val ints: List<Int> get() = items.map { it.int }

    /** Returns nested lists of numbers as one row-major array. */
    fun flatten(): FloatArray = doubles().map { it.toFloat() }.toFloatArray()

    /** Same as [flatten], in double precision. */
    fun doubles(): List<Double> = mutableListOf<Double>().also { numbersInto(it) }

    private fun numbersInto(target: MutableList<Double>) {
        if (value !is List<*>) fail("be a list of numbers")
        // Numbers are not wrapped one by one: the lists are long.
        for (item in value) if (item is Double) target += item else Json(item, path).numbersInto(target)
    }

    /** Throws an error that says what this value must do: "be a number", "have the key ..". */
    fun fail(condition: String): Nothing {
        val received = when (value) {
            is Map<*, *> -> "an object with the keys ${value.keys}"
            is List<*> -> "a list of ${value.size} items"
            else -> "$value"
        }
        throw IllegalArgumentException("${path.removeSuffix(":")} must $condition. Received: $received.")
    }

    companion object {
        /** Parses a JSON text; errors refer to it as [name]. */
        fun parse(text: String, name: String): Json = Json(JsonText(text, name).whole(), "$name:")
    }
}

/** A strict RFC 8259 parser: no comments, no trailing commas, nothing after the value. */
private class JsonText(private val text: String, private val name: String) {
    private var at = 0

    fun whole(): Any? = value().also { if (peek() != END) fail("the end of the text") }

    private fun value(): Any? = when (peek()) {
        '{' -> sequence('}') { string().also { expect(':') } to value() }.toMap()
        '[' -> sequence(']') { value() }
        '"' -> string()
        't' -> word("true", true)
        'f' -> word("false", false)
        'n' -> word("null", null)
        else -> number()
    }

    private fun <T> sequence(close: Char, item: () -> T): List<T> {
        at++
        if (peek() == close) return emptyList<T>().also { at++ }
        val found = mutableListOf(item())
        while (peek() == ',') {
            at++
            found += item()
        }
        expect(close)
        return found
    }

    private fun string(): String {
        expect('"')
        return buildString {
            while (true) {
                when (val char = text.getOrElse(at++) { fail("a closing quote") }) {
                    '"' -> return@buildString
                    '\\' -> append(escaped())
                    else -> append(char)
                }
            }
        }
    }

    private fun escaped(): Char = when (val char = text.getOrElse(at++) { fail("an escaped character") }) {
        '"', '\\', '/' -> char
        'b' -> '\b'
        'f' -> '\u000C'
        'n' -> '\n'
        'r' -> '\r'
        't' -> '\t'
        'u' -> text.drop(at).take(4).toIntOrNull(16)?.toChar()?.also { at += 4 } ?: fail("four hexadecimal digits")
        else -> fail("a valid escape sequence")
    }

    private fun number(): Double {
        val match = NUMBER.matchAt(text, at) ?: fail("a value")
        at += match.value.length
        return match.value.toDouble()
    }

    private fun <T> word(word: String, value: T): T {
        if (!text.startsWith(word, at)) fail(word)
        at += word.length
        return value
    }

    private fun peek(): Char {
        while (at < text.length && text[at] in " \t\r\n") at++
        return text.getOrElse(at) { END }
    }

    private fun expect(char: Char) {
        if (peek() != char) fail("'$char'")
        at++
    }

    private fun fail(expected: String): Nothing {
        val line = text.take(at).count { it == '\n' } + 1
        val found = text.drop(at).take(12).ifEmpty { "the end of the text" }
        throw IllegalArgumentException("$name must be valid JSON. Received: $found on line $line, expected $expected.")
    }

    private companion object {
        const val END = '\u0000'
        val NUMBER = Regex("""-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?""")
    }
}
