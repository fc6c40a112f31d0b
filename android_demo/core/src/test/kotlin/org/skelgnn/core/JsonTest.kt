package org.skelgnn.core

import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull

class JsonTest {
    private fun parse(text: String) = Json.parse(text, "x.json")

    private fun message(text: String, use: (Json) -> Unit = {}) =
        assertFailsWith<IllegalArgumentException> { use(parse(text)) }.message.orEmpty()

    @Test
    fun `values of every kind are read`() {
        val json = parse(""" {"a": [1, -2.5e2, true, false, null], "b": {"c": "d\n\u00e9\"\\"}, "e": {}, "f": []} """)
        assertEquals(listOf(1.0, -250.0), json["a"].items.take(2).map { it.double })
        assertEquals(listOf(true, false), json["a"].items.slice(2..3).map { it.boolean })
        assertEquals("d\né\"\\", json["b"]["c"].string)
        assertEquals(emptyList(), json["f"].items)
        assertEquals(emptyMap(), json["e"].fields)
    }

    @Test
    fun `nested lists come flat in row-major order`() =
        assertContentEquals(floatArrayOf(1f, 2f, 3f, 4f), parse("[[[1, 2]], [[3, 4]]]").flatten())

    @Test
    fun `a key that is missing or null is found as null`() {
        assertNull(parse("""{"a": null}""").find("a"))
        assertNull(parse("{}").find("a"))
    }

    @Test
    fun `errors say where the value stands`() {
        assertEquals("x.json: a[1] wants a whole number; found 2.5", message("""{"a": [1, 2.5]}""") { it["a"].ints })
        assertEquals("""x.json: a.b lacks "c"""", message("""{"a": {"b": {}}}""") { it["a"]["b"]["c"] })
    }

    @Test
    fun `what is no JSON is refused with its line`() {
        val wrong = listOf("", "{", "[1,]", "{\"a\" 1}", "tru", "\"a", "01", "[1] 2", "{'a': 1}", "NaN", "\"\\x\"")
        for (text in wrong) {
            assertContains(message(text), "x.json is no JSON: line 1 wants")
        }
        assertContains(message("{\n\"a\": ?}"), "line 2 wants a value; found ?}")
    }
}
