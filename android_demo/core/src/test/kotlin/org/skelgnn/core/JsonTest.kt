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
    fun `all kinds of values are parsed`() {
        val json = parse(""" {"a": [1, -2.5e2, true, false, null], "b": {"c": "d\n\u00e9\"\\"}, "e": {}, "f": []} """)
        assertEquals(listOf(1.0, -250.0), json["a"].items.take(2).map { it.double })
        assertEquals(listOf(true, false), json["a"].items.slice(2..3).map { it.boolean })
        assertEquals("d\né\"\\", json["b"]["c"].string)
        assertEquals(emptyList(), json["f"].items)
        assertEquals(emptyMap(), json["e"].fields)
    }

    @Test
    fun `nested lists are flattened in row-major order`() =
        assertContentEquals(floatArrayOf(1f, 2f, 3f, 4f), parse("[[[1, 2]], [[3, 4]]]").flatten())

    @Test
    fun `find returns null for a missing key and for a null value`() {
        assertNull(parse("""{"a": null}""").find("a"))
        assertNull(parse("{}").find("a"))
    }

    @Test
    fun `errors name the path of the value`() {
        assertEquals("x.json: a[1] must be an integer. Received: 2.5.", message("""{"a": [1, 2.5]}""") { it["a"].ints })
        assertEquals(
            """x.json: a.b must have the key "c". Received: an object with the keys [d].""",
            message("""{"a": {"b": {"d": 0}}}""") { it["a"]["b"]["c"] },
        )
        assertEquals("x.json must be an object. Received: a list of 2 items.", message("[1, 2]") { it["a"] })
    }

    @Test
    fun `invalid JSON raises an error that names the line`() {
        val wrong = listOf("", "{", "[1,]", "{\"a\" 1}", "tru", "\"a", "01", "[1] 2", "{'a': 1}", "NaN", "\"\\x\"")
        for (text in wrong) {
            assertContains(message(text), "x.json must be valid JSON. Received: ")
            assertContains(message(text), " on line 1, expected ")
        }
        assertContains(message("{\n\"a\": ?}"), "Received: ?} on line 2, expected a value.")
    }
}
