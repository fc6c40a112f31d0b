package org.skelgnn.core

/**
 * A value of a JSON text together with the way to it, so that an error can say where it happened.
 *
 * Android has `org.json`, plain Kotlin has nothing: these lines keep `core` free of dependencies.
 *
 * @property value Map, List, String, Double, Boolean or null.
 * @property path Where it stands, e.g. `model.json: skeleton.parents[3]`.
 */
internal class Json private constructor(private val value: Any?, private val path: String) {
    operator fun get(key: String): Json = find(key) ?: fail("lacks \"$key\"")

    /** The value of a key that may be missing or null. */
    fun find(key: String): Json? = fields[key]?.takeIf { it.value != null }

    val fields: Map<String, Json>
        get() = (value as? Map<*, *> ?: fail("wants an object"))
            .entries.associate { (key, item) -> key as String to Json(item, "$path$dot$key") }

    val items: List<Json>
        get() = (value as? List<*> ?: fail("wants a list")).mapIndexed { i, item -> Json(item, "$path[$i]") }

    private val dot get() = if (path.endsWith(':')) " " else "."

    val string: String get() = value as? String ?: fail("wants a text")
    val double: Double get() = value as? Double ?: fail("wants a number")
    val boolean: Boolean get() = value as? Boolean ?: fail("wants true or false")
    val int: Int get() = double.toInt().also { if (it.toDouble() != double) fail("wants a whole number") }
    val strings: List<String> get() = items.map { it.string }
    val ints: List<Int> get() = items.map { it.int }

    /** Nested lists of numbers as one array in row-major order. */
    fun flatten(): FloatArray = doubles().map { it.toFloat() }.toFloatArray()

    /** The same in full precision. */
    fun doubles(): List<Double> = mutableListOf<Double>().also { numbersInto(it) }

    private fun numbersInto(target: MutableList<Double>) {
        if (value !is List<*>) fail("wants numbers")
        // Long lists of plain numbers are what this is for: they are not wrapped one by one.
        for (item in value) if (item is Double) target += item else Json(item, path).numbersInto(target)
    }

    fun fail(problem: String): Nothing {
        val found = if (value is Map<*, *> || value is List<*>) "" else "; found $value"
        throw IllegalArgumentException("$path $problem$found")
    }

    companion object {
        /** The value of a whole text; [name] is what errors call it. */
        fun parse(text: String, name: String): Json = Json(JsonText(text, name).whole(), "$name:")
    }
}

/** A strict reader of RFC 8259 texts: no comments, no trailing commas, nothing after the value. */
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
        else -> fail("an escape that JSON knows")
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
        val found = text.drop(at).take(12).ifEmpty { "the end" }
        throw IllegalArgumentException("$name is no JSON: line $line wants $expected; found $found")
    }

    private companion object {
        const val END = '\u0000'
        val NUMBER = Regex("""-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?""")
    }
}
