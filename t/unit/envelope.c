
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Tables, one row a case.  Each body is also shown to the oracle, and
 * thousands of mutations of them.
 */


#include "unit.h"
#include "envelope_oracle.h"


#define MUTATIONS  20000


#define JSON   NGX_WS_MGR_ENVELOPE_JSON
#define EVENT  NGX_WS_MGR_ENVELOPE_EVENT

#define ID     "expected a string of 1 to 255 bytes without control characters"
#define CUT    "string without an end"
#define COMMA  "expected a comma or a brace"
#define TWICE  "name stands twice"
#define ESC    "reserved name, written with escapes"


/* "at" is what the body has from the place of the fault on */

typedef struct {
    const char                    *body;
    ngx_ws_mgr_envelope_result_e   result;
    const char                    *member;
    const char                    *error;
    const char                    *at;
} fault_t;


static const fault_t  faults[] = {

    /* the body as such */
    { "", JSON, "", "expected a value", "" },
    { "  ", JSON, "", "expected a value", "" },
    { "\xef\xbb\xbf{\"type\":\"x\"}", JSON, "", "expected a value",
      "\xef\xbb\xbf{\"type\":\"x\"}" },
    { "[]", EVENT, "", "expected an object", "[]" },
    { "[{\"type\":\"x\"}]", EVENT, "", "expected an object",
      "[{\"type\":\"x\"}]" },
    { "\"x\"", EVENT, "", "expected an object", "\"x\"" },
    { " 5", EVENT, "", "expected an object", "5" },
    { "null", EVENT, "", "expected an object", "null" },
    { "nul", JSON, "", "expected a value", "nul" },
    { "[1", JSON, "", "expected a comma or a bracket", "" },
    { "{", JSON, "", "expected a name in quotes", "" },
    { "}", JSON, "", "expected a value", "}" },
    { "{}", EVENT, "type", "missing", "{}" },
    { "{\"type\":\"x\"", JSON, "type", COMMA, "" },
    { "{\"type\":\"x\"} x", JSON, "", "trailing bytes after the object", "x" },
    { "{\"type\":\"x\"}}", JSON, "", "trailing bytes after the object", "}" },
    { "{\"type\":\"x\"}{}", JSON, "", "trailing bytes after the object",
      "{}" },
    { "{\"type\":\"x\"},", JSON, "", "trailing bytes after the object", "," },
    { "{\"type\":\"x\"}\v", JSON, "", "trailing bytes after the object",
      "\v" },
    { "\f{\"type\":\"x\"}", JSON, "", "expected a value",
      "\f{\"type\":\"x\"}" },

    /* objects */
    { "{,\"type\":\"x\"}", JSON, "", "expected a name in quotes",
      ",\"type\":\"x\"}" },
    { "{\"type\":\"x\",}", JSON, "type", "expected a name in quotes", "}" },
    { "{\"type\":\"x\",,\"a\":1}", JSON, "type", "expected a name in quotes",
      ",\"a\":1}" },
    { "{\"type\":\"x\" \"a\":1}", JSON, "type", COMMA, "\"a\":1}" },
    { "{\"type\":\"x\",a:1}", JSON, "type", "expected a name in quotes",
      "a:1}" },
    { "{\"type\":\"x\",'a':1}", JSON, "type", "expected a name in quotes",
      "'a':1}" },
    { "{\"type\":\"x\",1:1}", JSON, "type", "expected a name in quotes",
      "1:1}" },
    { "{\"type\" \"x\"}", JSON, "type", "expected a colon after the name",
      "\"x\"}" },
    { "{\"type\"}", JSON, "type", "expected a colon after the name", "}" },
    { "{\"type\"", JSON, "type", "expected a colon after the name", "" },
    { "{\"type\":", JSON, "type", "expected a value", "" },
    { "{\"type\":}", JSON, "type", "expected a value", "}" },
    { "{\"type\":\"x\",\"a\":{\"b\":1]}", JSON, "a", COMMA, "]}" },
    { "{\"type\":\"x\",\"a\":{\"b\"}}", JSON, "a",
      "expected a colon after the name", "}}" },
    { "{\"type\":\"x\"/**/}", JSON, "type", COMMA, "/**/}" },

    /* arrays */
    { "{\"type\":\"x\",\"a\":[,1]}", JSON, "a", "expected a value", ",1]}" },
    { "{\"type\":\"x\",\"a\":[1,]}", JSON, "a", "expected a value", "]}" },
    { "{\"type\":\"x\",\"a\":[1 2]}", JSON, "a",
      "expected a comma or a bracket", "2]}" },
    { "{\"type\":\"x\",\"a\":[1}", JSON, "a", "expected a comma or a bracket",
      "}" },
    { "{\"type\":\"x\",\"a\":[\"b\":1]}", JSON, "a",
      "expected a comma or a bracket", ":1]}" },
    { "{\"type\":\"x\",\"a\":[[]", JSON, "a", "expected a comma or a bracket",
      "" },

    /* numbers and literals */
    { "{\"type\":\"x\",\"a\":01}", JSON, "a", "number begins with a zero",
      "01}" },
    { "{\"type\":\"x\",\"a\":-01}", JSON, "a", "number begins with a zero",
      "01}" },
    { "{\"type\":\"x\",\"a\":-}", JSON, "a", "expected a digit", "-}" },
    { "{\"type\":\"x\",\"a\":+1}", JSON, "a", "expected a value", "+1}" },
    { "{\"type\":\"x\",\"a\":.5}", JSON, "a", "expected a value", ".5}" },
    { "{\"type\":\"x\",\"a\":1.}", JSON, "a", "expected a digit", "}" },
    { "{\"type\":\"x\",\"a\":1.e5}", JSON, "a", "expected a digit", "e5}" },
    { "{\"type\":\"x\",\"a\":1e}", JSON, "a", "expected a digit", "}" },
    { "{\"type\":\"x\",\"a\":1e+}", JSON, "a", "expected a digit", "}" },
    { "{\"type\":\"x\",\"a\":1e5.5}", JSON, "a", COMMA, ".5}" },
    { "{\"type\":\"x\",\"a\":0x10}", JSON, "a", COMMA, "x10}" },
    { "{\"type\":\"x\",\"a\":1", JSON, "a", COMMA, "" },
    { "{\"type\":\"x\",\"a\":1e", JSON, "a", "expected a digit", "" },
    { "{\"type\":\"x\",\"a\":-", JSON, "a", "expected a digit", "-" },
    { "{\"type\":\"x\",\"a\":NaN}", JSON, "a", "expected a value", "NaN}" },
    { "{\"type\":\"x\",\"a\":Infinity}", JSON, "a", "expected a value",
      "Infinity}" },
    { "{\"type\":\"x\",\"a\":True}", JSON, "a", "expected a value", "True}" },
    { "{\"type\":\"x\",\"a\":tru", JSON, "a", "expected a value", "tru" },
    { "{\"type\":\"x\",\"a\":truex}", JSON, "a", COMMA, "x}" },
    { "{\"type\":\"x\",\"a\":fals}", JSON, "a", "expected a value", "fals}" },
    { "{\"type\":\"x\",\"a\":undefined}", JSON, "a", "expected a value",
      "undefined}" },

    /* strings */
    { "{\"type\":\"x", JSON, "type", CUT, "\"x" },
    { "{\"type\":\"x}", JSON, "type", CUT, "\"x}" },
    { "{\"ty", JSON, "", CUT, "\"ty" },
    { "{\"type\":\"x\\\"}", JSON, "type", CUT, "\"x\\\"}" },
    { "{\"type\":\"x\\", JSON, "type", CUT, "\\" },
    { "{\"type\":\"x\n\"}", JSON, "type", "control character in a string",
      "\n\"}" },
    { "{\"type\":\"x\",\"a\":\"0123456789\t\"}", JSON, "a",
      "control character in a string", "\t\"}" },
    { "{\"type\":\"x\",\"a\x1f\":1}", JSON, "type",
      "control character in a string", "\x1f\":1}" },
    { "{\"type\":\"x\",\"a\":\"\\x\"}", JSON, "a",
      "unknown escape in a string", "\\x\"}" },
    { "{\"type\":\"x\",\"a\":\"\\'\"}", JSON, "a",
      "unknown escape in a string", "\\'\"}" },
    { "{\"type\":\"x\",\"a\":\"\\U0041\"}", JSON, "a",
      "unknown escape in a string", "\\U0041\"}" },
    { "{\"type\":\"x\",\"a\":\"\\u004\"}", JSON, "a",
      "expected four hexadecimal digits", "\\u004\"}" },
    { "{\"type\":\"x\",\"a\":\"\\u004g\"}", JSON, "a",
      "expected four hexadecimal digits", "\\u004g\"}" },
    { "{\"type\":\"x\",\"a\":\"\\u00", JSON, "a",
      "expected four hexadecimal digits", "\\u00" },
    { "{\"type\":\"x\",\"a\":\"\\ud800\"}", JSON, "a",
      "unpaired surrogate in a string", "\\ud800\"}" },
    { "{\"type\":\"x\",\"a\":\"\\udc00\\ud800\"}", JSON, "a",
      "unpaired surrogate in a string", "\\udc00\\ud800\"}" },
    { "{\"type\":\"x\",\"a\":\"\\udbff\\u0041\"}", JSON, "a",
      "unpaired surrogate in a string", "\\udbff\\u0041\"}" },
    { "{\"type\":\"x\",\"a\":\"\\ud800\\ud800\"}", JSON, "a",
      "unpaired surrogate in a string", "\\ud800\\ud800\"}" },
    { "{\"type\":\"x\",\"a\":\"\\ud800\\n\"}", JSON, "a",
      "unpaired surrogate in a string", "\\ud800\\n\"}" },
    { "{\"type\":\"x\",\"a\":\"\\ud800\\udc0", JSON, "a",
      "unpaired surrogate in a string", "\\ud800\\udc0" },

    /* UTF-8 */
    { "{\"type\":\"x\",\"a\":\"\x80\"}", JSON, "a", "not UTF-8", "\x80\"}" },
    { "{\"type\":\"x\",\"a\":\"\xc0\x80\"}", JSON, "a", "not UTF-8",
      "\xc0\x80\"}" },
    { "{\"type\":\"x\",\"a\":\"\xc1\xbf\"}", JSON, "a", "not UTF-8",
      "\xc1\xbf\"}" },
    { "{\"type\":\"x\",\"a\":\"\xc3\"}", JSON, "a", "not UTF-8", "\xc3\"}" },
    { "{\"type\":\"x\",\"a\":\"\xc3", JSON, "a", "not UTF-8", "\xc3" },
    { "{\"type\":\"x\",\"a\":\"\xe0\x9f\xbf\"}", JSON, "a", "not UTF-8",
      "\xe0\x9f\xbf\"}" },
    { "{\"type\":\"x\",\"a\":\"\xed\xa0\x80\"}", JSON, "a", "not UTF-8",
      "\xed\xa0\x80\"}" },
    { "{\"type\":\"x\",\"a\":\"\xe2\x82\"}", JSON, "a", "not UTF-8",
      "\xe2\x82\"}" },
    { "{\"type\":\"x\",\"a\":\"\xf0\x8f\xbf\xbf\"}", JSON, "a", "not UTF-8",
      "\xf0\x8f\xbf\xbf\"}" },
    { "{\"type\":\"x\",\"a\":\"\xf4\x90\x80\x80\"}", JSON, "a", "not UTF-8",
      "\xf4\x90\x80\x80\"}" },
    { "{\"type\":\"x\",\"a\":\"\xf5\x80\x80\x80\"}", JSON, "a", "not UTF-8",
      "\xf5\x80\x80\x80\"}" },
    { "{\"type\":\"x\",\"a\":\"\xff\"}", JSON, "a", "not UTF-8", "\xff\"}" },

    /* names that stand twice */
    { "{\"type\":\"x\",\"type\":\"x\"}", JSON, "type", TWICE,
      "\"type\":\"x\"}" },
    { "{\"type\":\"x\",\"a\":1,\"b\":2,\"a\":3}", JSON, "a", TWICE,
      "\"a\":3}" },
    { "{\"type\":\"x\",\"a\":1,\"\\u0061\":3}", JSON, "a", TWICE,
      "\"\\u0061\":3}" },
    { "{\"type\":\"x\",\"\\u00e9\":1,\"\xc3\xa9\":3}", JSON, "\xc3\xa9",
      TWICE, "\"\xc3\xa9\":3}" },
    { "{\"type\":\"x\",\"\":1,\"\":3}", JSON, "", TWICE, "\"\":3}" },
    { "{\"type\":\"x\",\"a\":[{\"b\":1,\"b\":2}]}", JSON, "b", TWICE,
      "\"b\":2}]}" },
    { "{\"type\":\"x\",\"data\":{\"b\":{},\"b\":2}}", JSON, "b", TWICE,
      "\"b\":2}}" },
    { "{\"type\":\"x\",\"tokens\":{\"cost\":1,\"cost\":2}}", JSON, "cost",
      TWICE, "\"cost\":2}}" },
    { "{\"type\":\"x\",\"0123456789abcdef\":1,\"0123456789abcdef\":2}", JSON,
      "0123456789abcdef", TWICE, "\"0123456789abcdef\":2}" },
    { "{\"type\":\"x\",\"user_ids\":[\"a\"],\"user_ids\":[\"a\"]}", JSON,
      "user_ids", TWICE, "\"user_ids\":[\"a\"]}" },
    { "{\"type\":\"x\",\"a\\u0000\":1}", JSON, "a", "name has a NUL",
      "\"a\\u0000\":1}" },

    /* a fault of the JSON goes before one of a member */
    { "{\"id\":1,\"type\":5,\"a\":}", JSON, "a", "expected a value", "}" },

    /* type */
    { "{\"a\":1}", EVENT, "type", "missing", "{\"a\":1}" },
    { "{\"data\":{\"type\":\"x\"}}", EVENT, "type", "missing",
      "{\"data\":{\"type\":\"x\"}}" },
    { "{\"type\":5}", EVENT, "type", "expected a string of 1 to 64 bytes",
      "5}" },
    { "{\"type\":null}", EVENT, "type", "expected a string of 1 to 64 bytes",
      "null}" },
    { "{\"type\":\"\"}", EVENT, "type", "expected a string of 1 to 64 bytes",
      "\"\"}" },
    { "{\"type\":[\"x\"]}", EVENT, "type",
      "expected a string of 1 to 64 bytes", "[\"x\"]}" },
    { "{\"type\":\"a b\"}", EVENT, "type",
      "expected only letters, digits and _.:-", "\"a b\"}" },
    { "{\"type\":\"a/b\"}", EVENT, "type",
      "expected only letters, digits and _.:-", "\"a/b\"}" },
    { "{\"type\":\"\\u00e9\"}", EVENT, "type",
      "expected only letters, digits and _.:-", "\"\\u00e9\"}" },

    /* server-owned */
    { "{\"type\":\"x\",\"id\":\"1\"}", EVENT, "id", "server-owned member",
      "\"id\":\"1\"}" },
    { "{\"seq\":1,\"type\":\"x\"}", EVENT, "seq", "server-owned member",
      "\"seq\":1,\"type\":\"x\"}" },
    { "{\"type\":\"x\",\"ts\":null}", EVENT, "ts", "server-owned member",
      "\"ts\":null}" },
    { "{\"type\":5,\"ts\":null}", EVENT, "type",
      "expected a string of 1 to 64 bytes", "5,\"ts\":null}" },

    /* reserved names with escapes */
    { "{\"ty\\u0070e\":\"x\"}", EVENT, "type", ESC, "\"ty\\u0070e\":\"x\"}" },
    { "{\"type\":\"x\",\"\\u0069d\":1}", EVENT, "id", ESC,
      "\"\\u0069d\":1}" },
    { "{\"type\":\"x\",\"data\":{\"run\\u005fid\":\"r\"}}", EVENT, "run_id",
      ESC, "\"run\\u005fid\":\"r\"}}" },
    { "{\"type\":\"x\",\"\\u0064ata\":{}}", EVENT, "data", ESC,
      "\"\\u0064ata\":{}}" },
    { "{\"type\":\"x\",\"tokens\":{\"c\\u006fst\":1}}", EVENT, "tokens", ESC,
      "\"c\\u006fst\":1}}" },
    { "{\"type\":\"x\",\"data\":{\"tokens\":{\"c\\u006fst\":1,\"a\":2}}}",
      EVENT, "tokens", ESC, "\"c\\u006fst\":1,\"a\":2}}}" },

    /* ids */
    { "{\"type\":\"x\",\"user_id\":1}", EVENT, "user_id", ID, "1}" },
    { "{\"type\":\"x\",\"user_id\":null}", EVENT, "user_id", ID, "null}" },
    { "{\"type\":\"x\",\"user_id\":\"\"}", EVENT, "user_id", ID, "\"\"}" },
    { "{\"type\":\"x\",\"user_id\":\"a\\u0000\"}", EVENT, "user_id", ID,
      "\"a\\u0000\"}" },
    { "{\"type\":\"x\",\"user_id\":\"a\\n\"}", EVENT, "user_id", ID,
      "\"a\\n\"}" },
    { "{\"type\":\"x\",\"user_id\":\"a\x7f\"}", EVENT, "user_id", ID,
      "\"a\x7f\"}" },
    { "{\"type\":\"x\",\"user_id\":\"0123456789\\u009f\"}", EVENT, "user_id",
      ID, "\"0123456789\\u009f\"}" },
    { "{\"type\":\"x\",\"user_id\":{\"a\":1}}", EVENT, "user_id", ID,
      "{\"a\":1}}" },
    { "{\"type\":\"x\",\"thread_id\":1}", EVENT, "thread_id", ID, "1}" },
    { "{\"type\":\"x\",\"thread_id\":\"\"}", EVENT, "thread_id", ID,
      "\"\"}" },
    { "{\"type\":\"x\",\"run_id\":true}", EVENT, "run_id", ID, "true}" },
    { "{\"type\":\"x\",\"event_id\":[]}", EVENT, "event_id", ID, "[]}" },
    { "{\"type\":\"x\",\"connection_id\":null}", EVENT, "connection_id", ID,
      "null}" },

    /* lists of users */
    { "{\"type\":\"x\",\"user_ids\":\"a\"}", EVENT, "user_ids",
      "expected an array of users", "\"a\"}" },
    { "{\"type\":\"x\",\"user_ids\":null}", EVENT, "user_ids",
      "expected an array of users", "null}" },
    { "{\"type\":\"x\",\"user_ids\":[]}", EVENT, "user_ids",
      "expected 1 to 1000 users", "\"user_ids\":[]}" },
    { "{\"type\":\"x\",\"user_ids\":[\"a\",5]}", EVENT, "user_ids", ID,
      "5]}" },
    { "{\"type\":\"x\",\"user_ids\":[\"a\",\"\"]}", EVENT, "user_ids", ID,
      "\"\"]}" },
    { "{\"type\":\"x\",\"user_ids\":[[\"a\"]]}", EVENT, "user_ids", ID,
      "[\"a\"]]}" },
    { "{\"type\":\"x\",\"user_ids\":[\"*\"]}", EVENT, "user_ids",
      "\"*\" is not a user", "\"*\"]}" },
    { "{\"type\":\"x\",\"user_ids\":[\"a\",\"b\",\"\\u0061\"]}", EVENT,
      "user_ids", "user stands twice", "\"\\u0061\"]}" },
    { "{\"type\":\"x\",\"user_ids\":[\"a\"],\"user_id\":\"a\"}", EVENT,
      "user_ids", "not together with user_id",
      "\"user_ids\":[\"a\"],\"user_id\":\"a\"}" },
    { "{\"type\":\"x\",\"user_ids\":[\"a\" \"b\"]}", JSON, "user_ids",
      "expected a comma or a bracket", "\"b\"]}" },
    { "{\"type\":\"x\",\"user_id\":\"*\",\"exclude_users\":{}}", EVENT,
      "exclude_users", "expected an array of users", "{}}" },
    { "{\"type\":\"x\",\"exclude_users\":[]}", EVENT, "exclude_users",
      "only together with the user_id \"*\"", "\"exclude_users\":[]}" },
    { "{\"type\":\"x\",\"user_id\":\"a\",\"exclude_users\":[\"b\"]}", EVENT,
      "exclude_users", "only together with the user_id \"*\"",
      "\"exclude_users\":[\"b\"]}" },
    { "{\"type\":\"x\",\"user_id\":\"*\",\"exclude_users\":[\"b\",\"b\"]}",
      EVENT, "exclude_users", "user stands twice", "\"b\"]}" },

    /* the rest */
    { "{\"type\":\"x\",\"audience\":\"all\"}", EVENT, "audience",
      "expected \"user\" or \"thread\"", "\"all\"}" },
    { "{\"type\":\"x\",\"audience\":null}", EVENT, "audience",
      "expected \"user\" or \"thread\"", "null}" },
    { "{\"type\":\"x\",\"audience\":\"thread\"}", EVENT, "audience",
      "\"thread\" needs a thread_id", "\"audience\":\"thread\"}" },
    { "{\"type\":\"x\",\"audience\":\"thread\",\"thread_id\":null}", EVENT,
      "audience", "\"thread\" needs a thread_id",
      "\"audience\":\"thread\",\"thread_id\":null}" },
    { "{\"type\":\"x\",\"thread_id\":\"t\",\"connection_id\":\"c\","
      "\"audience\":\"thread\"}", EVENT, "audience",
      "\"thread\" excludes a connection_id", "\"audience\":\"thread\"}" },
    { "{\"type\":\"x\",\"class\":\"Must\"}", EVENT, "class",
      "expected \"must\", \"latest\" or \"drop\"", "\"Must\"}" },
    { "{\"type\":\"x\",\"class\":0}", EVENT, "class",
      "expected \"must\", \"latest\" or \"drop\"", "0}" },
    { "{\"type\":\"x\",\"ttl_ms\":0}", EVENT, "ttl_ms",
      "expected an integer, 1 to 86400000", "0}" },
    { "{\"type\":\"x\",\"ttl_ms\":86400001}", EVENT, "ttl_ms",
      "expected an integer, 1 to 86400000", "86400001}" },
    { "{\"type\":\"x\",\"ttl_ms\":18446744073709551617}", EVENT, "ttl_ms",
      "expected an integer, 1 to 86400000", "18446744073709551617}" },
    { "{\"type\":\"x\",\"ttl_ms\":1.0}", EVENT, "ttl_ms",
      "expected an integer, 1 to 86400000", "1.0}" },
    { "{\"type\":\"x\",\"ttl_ms\":1e3}", EVENT, "ttl_ms",
      "expected an integer, 1 to 86400000", "1e3}" },
    { "{\"type\":\"x\",\"ttl_ms\":-5}", EVENT, "ttl_ms",
      "expected an integer, 1 to 86400000", "-5}" },
    { "{\"type\":\"x\",\"ttl_ms\":\"5\"}", EVENT, "ttl_ms",
      "expected an integer, 1 to 86400000", "\"5\"}" },
    { "{\"type\":\"x\",\"ttl_ms\":null}", EVENT, "ttl_ms",
      "expected an integer, 1 to 86400000", "null}" }
};


/* what is legal, and what of it is delivered */

typedef struct {
    const char  *body;
    const char  *spliced;
} splice_t;


static const splice_t  splices[] = {
    { "{\"type\":\"x\"}", "\"type\":\"x\"}" },
    { " \t\r\n{\"type\":\"x\"} \n", "\"type\":\"x\"}" },
    { "{ \"type\" : \"x\" }", " \"type\" : \"x\" }" },
    { "{\"type\":\"x\",\"class\":\"drop\"}", "\"type\":\"x\"}" },
    { "{\"class\":\"drop\",\"type\":\"x\"}", "\"type\":\"x\"}" },
    { "{ \"class\" : \"drop\" , \"type\" : \"x\" }", "\"type\" : \"x\" }" },
    { "{ \"type\" : \"x\" , \"class\" : \"drop\" }", " \"type\" : \"x\" }" },
    { "{\"a\":1,\"class\":\"drop\",\"type\":\"x\"}",
      "\"a\":1,\"type\":\"x\"}" },
    { "{\"a\":1 , \"class\":\"drop\" , \"type\":\"x\"}",
      "\"a\":1 , \"type\":\"x\"}" },
    { "{\"class\":\"drop\",\"ttl_ms\":1,\"type\":\"x\"}", "\"type\":\"x\"}" },
    { "{\"type\":\"x\",\"class\":\"drop\",\"ttl_ms\":1}", "\"type\":\"x\"}" },
    { "{\"a\":1,\"class\":\"drop\",\"ttl_ms\":1,\"type\":\"x\"}",
      "\"a\":1,\"type\":\"x\"}" },
    { "{\"class\":\"drop\",\"type\":\"x\",\"ttl_ms\":1,\"a\":1,"
      "\"audience\":\"user\"}", "\"type\":\"x\",\"a\":1}" },
    { "{\"class\":\"must\",\"type\":\"x\",\"ttl_ms\":86400000,\"a\":1,"
      "\"audience\":\"user\",\"b\":2,\"connection_id\":\"c\",\"c\":3,"
      "\"user_ids\":[\"u\"],\"d\":4}",
      "\"type\":\"x\",\"a\":1,\"b\":2,\"c\":3,\"d\":4}" },
    { "{\"type\":\"x\",\"user_id\":\"*\",\"exclude_users\":[]}",
      "\"type\":\"x\",\"user_id\":\"*\"}" },
    { "{\"type\":\"x\",\"data\":{\"class\":\"drop\",\"ttl_ms\":-1,\"id\":1,"
      "\"user_ids\":[]}}",
      "\"type\":\"x\",\"data\":{\"class\":\"drop\",\"ttl_ms\":-1,\"id\":1,"
      "\"user_ids\":[]}}" },
    { "{\"type\":\"x\",\"n\":[1.10,1E+2,-0,123456789012345678901234567890]}",
      "\"type\":\"x\",\"n\":[1.10,1E+2,-0,123456789012345678901234567890]}" },
    { "{\"type\":\"x\",\"n\":1e999}", "\"type\":\"x\",\"n\":1e999}" },
    { "{\"type\":\"x\",\"\\u0061\":\"\\u00e9\\/\\u0000\",\"\":[ ]}",
      "\"type\":\"x\",\"\\u0061\":\"\\u00e9\\/\\u0000\",\"\":[ ]}" },
    { "{\"type\":\"x\",\"user_id\":\"0123\xc2\xa0\xc3\x82 1234\"}",
      "\"type\":\"x\",\"user_id\":\"0123\xc2\xa0\xc3\x82 1234\"}" },
    { "{\"type\":\"\\u0078\",\"user_id\":\"\\ud83d\\ude00\"}",
      "\"type\":\"\\u0078\",\"user_id\":\"\\ud83d\\ude00\"}" },
    { "{\"type\":\"x\",\"thread_id\":null,\"run_id\":null,\"event_id\":null}",
      "\"type\":\"x\",\"thread_id\":null,\"run_id\":null,"
      "\"event_id\":null}" },
    { "{\"type\":\"x\",\"a\":[{\"b\":1},{\"b\":1}],\"b\":{\"a\":{}}}",
      "\"type\":\"x\",\"a\":[{\"b\":1},{\"b\":1}],\"b\":{\"a\":{}}}" },
    { "{\"type\":\"x\",\"a\":\"\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80"
      "\xe0\xa0\x80\xf0\x90\x80\x80\xc2\x80\x7f\"}",
      "\"type\":\"x\",\"a\":\"\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80"
      "\xe0\xa0\x80\xf0\x90\x80\x80\xc2\x80\x7f\"}" },
    { "{\"type\":\"x\",\"events\":[1,{\"a\":2}]}",
      "\"type\":\"x\",\"events\":[1,{\"a\":2}]}" },
    { "{\"type\":\"x\",\"run_ID\":5,\"cost\":5,\"input_tokens\":\"a\"}",
      "\"type\":\"x\",\"run_ID\":5,\"cost\":5,\"input_tokens\":\"a\"}" }
};


typedef struct {
    const char         *body;
    ngx_ws_mgr_type_e   known;
    const char         *schema;
    const char         *run;
    const char         *tool;
} known_t;


static const known_t  knowns[] = {
    { "{\"type\":\"x\"}", NGX_WS_MGR_TYPE_OTHER, NULL, NULL, NULL },
    { "{\"type\":\"agent_started\",\"run_id\":\"r\",\"agent_name\":\"a\"}",
      NGX_WS_MGR_TYPE_AGENT_STARTED, NULL, "r", NULL },
    { "{\"type\":\"agent_st\\u0061rted\",\"agent_name\":\"a\"}",
      NGX_WS_MGR_TYPE_AGENT_STARTED, "run_id", NULL, NULL },
    { "{\"type\":\"agent_started\",\"run_id\":\"r\",\"agent_name\":null}",
      NGX_WS_MGR_TYPE_AGENT_STARTED, "agent_name", "r", NULL },
    { "{\"type\":\"agent_started\",\"data\":{\"run_id\":\"\\u0072\","
      "\"agent_name\":\"a\"}}",
      NGX_WS_MGR_TYPE_AGENT_STARTED, NULL, "r", NULL },
    { "{\"type\":\"agent_started\",\"data\":{\"run_id\":5,"
      "\"agent_name\":\"a\"}}",
      NGX_WS_MGR_TYPE_AGENT_STARTED, "run_id", NULL, NULL },
    { "{\"type\":\"agent_started\",\"data\":{\"run_id\":\"\","
      "\"agent_name\":\"a\"}}",
      NGX_WS_MGR_TYPE_AGENT_STARTED, "run_id", NULL, NULL },
    { "{\"type\":\"agent_started\",\"data\":{\"data\":{\"run_id\":\"r\"}}}",
      NGX_WS_MGR_TYPE_AGENT_STARTED, "run_id", NULL, NULL },
    { "{\"data\":{\"run_id\":\"d\",\"agent_name\":\"a\"},\"run_id\":\"r\","
      "\"type\":\"agent_started\"}",
      NGX_WS_MGR_TYPE_AGENT_STARTED, NULL, "r", NULL },
    { "{\"data\":{\"run_id\":\"d\"},\"run_id\":null,\"type\":\"x\"}",
      NGX_WS_MGR_TYPE_OTHER, NULL, "d", NULL },
    { "{\"type\":\"agent_thinking\",\"run_id\":\"r\"}",
      NGX_WS_MGR_TYPE_AGENT_THINKING, "one of reasoning, thought", "r",
      NULL },
    { "{\"type\":\"agent_thinking\",\"run_id\":\"r\",\"thought\":\"\"}",
      NGX_WS_MGR_TYPE_AGENT_THINKING, NULL, "r", NULL },
    { "{\"type\":\"agent_thinking\",\"run_id\":\"r\","
      "\"data\":{\"reasoning\":[]}}",
      NGX_WS_MGR_TYPE_AGENT_THINKING, NULL, "r", NULL },
    { "{\"type\":\"tool_executing\",\"run_id\":\"r\"}",
      NGX_WS_MGR_TYPE_TOOL_EXECUTING, "tool_name", "r", NULL },
    { "{\"type\":\"tool_executing\",\"run_id\":\"r\",\"tool_name\":5}",
      NGX_WS_MGR_TYPE_TOOL_EXECUTING, NULL, "r", NULL },
    { "{\"type\":\"tool_executing\",\"run_id\":\"r\","
      "\"tool_name\":\"s\\u0065arch\"}",
      NGX_WS_MGR_TYPE_TOOL_EXECUTING, NULL, "r", "search" },
    { "{\"type\":\"tool_executing\",\"data\":{\"tool_name\":\"d\"},"
      "\"tool_name\":\"t\",\"run_id\":\"r\"}",
      NGX_WS_MGR_TYPE_TOOL_EXECUTING, NULL, "r", "t" },
    { "{\"type\":\"tool_completed\",\"run_id\":\"r\",\"tool_name\":\"t\"}",
      NGX_WS_MGR_TYPE_TOOL_COMPLETED, "one of results, result", "r", "t" },
    { "{\"type\":\"tool_completed\",\"run_id\":\"r\",\"tool_name\":\"t\","
      "\"result\":false}",
      NGX_WS_MGR_TYPE_TOOL_COMPLETED, NULL, "r", "t" },
    { "{\"type\":\"tool_completed\",\"run_id\":\"r\",\"tool_name\":\"t\","
      "\"data\":{\"results\":[]}}",
      NGX_WS_MGR_TYPE_TOOL_COMPLETED, NULL, "r", "t" },
    { "{\"type\":\"agent_completed\",\"run_id\":\"r\"}",
      NGX_WS_MGR_TYPE_AGENT_COMPLETED,
      "one of final_response, result, status", "r", NULL },
    { "{\"type\":\"agent_completed\",\"run_id\":\"r\",\"status\":\"ok\"}",
      NGX_WS_MGR_TYPE_AGENT_COMPLETED, NULL, "r", NULL },
    { "{\"type\":\"agent_completed\",\"run_id\":\"r\","
      "\"final_response\":\"ok\"}",
      NGX_WS_MGR_TYPE_AGENT_COMPLETED, NULL, "r", NULL },
    { "{\"type\":\"agent_failed\"}", NGX_WS_MGR_TYPE_AGENT_FAILED, NULL, NULL,
      NULL },
    { "{\"type\":\"agent_error\"}", NGX_WS_MGR_TYPE_AGENT_ERROR, NULL, NULL,
      NULL },
    { "{\"type\":\"agent_death\"}", NGX_WS_MGR_TYPE_AGENT_DEATH, NULL, NULL,
      NULL },
    { "{\"type\":\"agent_started2\"}", NGX_WS_MGR_TYPE_OTHER, NULL, NULL,
      NULL }
};


typedef struct {
    const char  *body;
    int          tokens;
    uint64_t     input;
    uint64_t     output;
    double       cost;
} tokens_t;


static const tokens_t  tokens[] = {
    { "{\"type\":\"x\"}", 0, 0, 0, 0 },
    { "{\"type\":\"x\",\"tokens\":{\"input_tokens\":1,\"output_tokens\":2,"
      "\"cost\":0.25}}", 1, 1, 2, 0.25 },
    { "{\"type\":\"x\",\"token_usage\":{\"output_tokens\":2}}", 1, 0, 2, 0 },
    { "{\"type\":\"x\",\"token_usage\":{\"cost\":1e-2}}", 1, 0, 0, 0.01 },
    { "{\"type\":\"x\",\"token_usage\":{}}", 0, 0, 0, 0 },
    { "{\"type\":\"x\",\"token_usage\":{\"cost\":null}}", 0, 0, 0, 0 },
    { "{\"type\":\"x\",\"token_usage\":{\"cost\":null,\"input_tokens\":0}}",
      1, 0, 0, 0 },
    { "{\"type\":\"x\",\"tokens\":17}", 0, 0, 0, 0 },
    { "{\"type\":\"x\",\"tokens\":[{\"cost\":1}]}", 0, 0, 0, 0 },
    { "{\"type\":\"x\",\"tokens\":{\"cost\":-1}}", 0, 0, 0, 0 },
    { "{\"type\":\"x\",\"tokens\":{\"cost\":\"1\"}}", 0, 0, 0, 0 },
    { "{\"type\":\"x\",\"tokens\":{\"cost\":true,\"input_tokens\":5}}", 0, 0,
      0, 0 },
    { "{\"type\":\"x\",\"tokens\":{\"cost\":1e999,\"input_tokens\":5}}", 0, 0,
      0, 0 },
    { "{\"type\":\"x\",\"tokens\":{\"input_tokens\":1.0}}", 0, 0, 0, 0 },
    { "{\"type\":\"x\",\"tokens\":{\"input_tokens\":999999999999999}}", 1,
      999999999999999, 0, 0 },
    { "{\"type\":\"x\",\"tokens\":{\"input_tokens\":1000000000000000}}", 0, 0,
      0, 0 },
    { "{\"type\":\"x\",\"tokens\":{\"input_tokens\":{\"a\":1}}}", 0, 0, 0,
      0 },
    { "{\"type\":\"x\",\"data\":{\"tokens\":{\"input_tokens\":1}}}", 1, 1, 0,
      0 },
    { "{\"type\":\"x\",\"data\":{\"tokens\":{\"input_tokens\":1},"
      "\"token_usage\":{\"input_tokens\":2}}}", 1, 2, 0, 0 },
    { "{\"type\":\"x\",\"data\":{\"token_usage\":{\"input_tokens\":1}},"
      "\"tokens\":{\"input_tokens\":3}}", 1, 3, 0, 0 },
    { "{\"type\":\"x\",\"tokens\":{\"input_tokens\":3},"
      "\"token_usage\":{\"input_tokens\":4}}", 1, 4, 0, 0 },
    { "{\"type\":\"x\",\"tokens\":5,"
      "\"data\":{\"tokens\":{\"input_tokens\":6}}}", 1, 6, 0, 0 },
    { "{\"type\":\"x\",\"a\":{\"tokens\":{\"input_tokens\":6}}}", 0, 0, 0, 0 }
};


typedef struct {
    const char  *body;
    ngx_int_t    rc;
    const char  *items;                /* each with a bar behind it */
    const char  *error;
    const char  *at;
} batch_t;


static const batch_t  batches[] = {
    { "{\"events\":[]}", NGX_OK, "", NULL, NULL },
    { " { \"events\" : [ ] } ", NGX_OK, "", NULL, NULL },
    { "{\"events\":[{}]}", NGX_OK, "{}|", NULL, NULL },
    { "{\"events\":[ {\"a\":1} , {\"b\":[{}]} ]}", NGX_OK,
      "{\"a\":1}|{\"b\":[{}]}|", NULL, NULL },
    { "{\"a\":[1,{\"events\":[]}],\"events\":[5,\"x]}\",null , [1]],"
      "\"b\":{}}", NGX_OK, "5|\"x]}\"|null|[1]|", NULL, NULL },
    { "{\"events\":[{\"a\":\"]}\\\"]\"}]}", NGX_OK, "{\"a\":\"]}\\\"]\"}|",
      NULL, NULL },

    /* an element fails alone */
    { "{\"events\":[{\"a\" 1},{}]}", NGX_OK, "{\"a\" 1}|{}|", NULL, NULL },
    { "{\"events\":[{\"a\":\"\n\"},x]}", NGX_OK, "{\"a\":\"\n\"}|x|", NULL,
      NULL },

    /* single events, and what parse refuses */
    { "{\"type\":\"x\"}", NGX_DECLINED, NULL, NULL, NULL },
    { "{\"type\":\"x\",\"events\":[]}", NGX_DECLINED, NULL, NULL, NULL },
    { "{\"events\":[],\"type\":\"x\"}", NGX_DECLINED, NULL, NULL, NULL },
    { "{\"events\":5,\"type\":\"x\"}", NGX_DECLINED, NULL, NULL, NULL },
    { "{}", NGX_DECLINED, NULL, NULL, NULL },
    { "[]", NGX_DECLINED, NULL, NULL, NULL },
    { "", NGX_DECLINED, NULL, NULL, NULL },
    { "{\"a\":", NGX_DECLINED, NULL, NULL, NULL },
    { "{\"data\":{\"events\":[]}}", NGX_DECLINED, NULL, NULL, NULL },

    { "{\"events\":5}", NGX_ERROR, NULL, "expected an array of events",
      "5}" },
    { "{\"events\":{}}", NGX_ERROR, NULL, "expected an array of events",
      "{}}" },
    { "{\"event\\u0073\":[]}", NGX_ERROR, NULL, ESC, "\"event\\u0073\":[]}" },
    { "{\"events\":", NGX_ERROR, NULL, "expected a value", "" },
    { "{\"events\":[", NGX_ERROR, NULL, "expected an event that ends", "" },
    { "{\"events\":[,{}]}", NGX_ERROR, NULL, "expected an event that ends",
      ",{}]}" },
    { "{\"events\":[{},]}", NGX_ERROR, NULL, "expected an event that ends",
      "]}" },
    { "{\"events\":[{},,{}]}", NGX_ERROR, NULL, "expected an event that ends",
      ",{}]}" },
    { "{\"events\":[{} {}]}", NGX_ERROR, NULL,
      "expected a comma or a bracket", "{}]}" },
    { "{\"events\":[{}", NGX_ERROR, NULL, "expected a comma or a bracket",
      "" },
    { "{\"events\":[{}}", NGX_ERROR, NULL, "expected a comma or a bracket",
      "}" },
    { "{\"events\":[{]", NGX_ERROR, NULL, "expected a comma or a bracket",
      "" },
    { "{\"events\":[{\"a\":[}]", NGX_ERROR, NULL,
      "expected a comma or a bracket", "" },
    { "{\"events\":[\"a]}", NGX_ERROR, NULL, "expected an event that ends",
      "\"a]}" },
    { "{\"events\":[\"a\\", NGX_ERROR, NULL, "expected an event that ends",
      "\"a\\" },
    { "{\"events\":[1", NGX_ERROR, NULL, "expected an event that ends", "1" },
    { "{\"events\":[{}]", NGX_ERROR, NULL, COMMA, "" },
    { "{\"events\":[{}],", NGX_ERROR, NULL, "expected a name in quotes", "" },
    { "{\"events\":[{}]} x", NGX_ERROR, NULL,
      "trailing bytes after the object", "x" },
    { "{\"events\":[{}],\"events\":[]}", NGX_ERROR, NULL, TWICE,
      "\"events\":[]}" },
    { "{\"events\":[{}],\"a\":{\"b\":1,\"b\":2}}", NGX_ERROR, NULL, TWICE,
      "\"b\":2}}" },
    { "{\"events\":[{}],\"a\":tru}", NGX_ERROR, NULL, "expected a value",
      "tru}" }
};


#define N(table)  (sizeof(table) / sizeof((table)[0]))


static const char *
text(ngx_str_t *str, char *buf)
{
    if (str->data == NULL) {
        return "";
    }

    (void) ngx_cpystrn((u_char *) buf, str->data, ngx_min(str->len + 1, 512));

    return buf;
}


static int
same(const char *wanted, ngx_str_t *str)
{
    if (wanted == NULL) {
        return str->data == NULL;
    }

    return str->len == strlen(wanted)
           && ngx_memcmp(str->data, wanted, str->len) == 0;
}


static ngx_ws_mgr_envelope_result_e
parse(ngx_ws_mgr_envelope_t *e, const char *body, ngx_pool_t *pool)
{
    return ngx_ws_mgr_envelope_parse(e, (u_char *) body,
                                     (u_char *) body + strlen(body), pool);
}


static void
agrees(const char *body)
{
    const char  *differs;

    differs = oracle(body, strlen(body));

    if (differs) {
        fail_msg("%s: %s", differs, body);
    }
}


static void
test_faults(void **state)
{
    char                    buf[512];
    size_t                  i;
    ngx_pool_t             *pool;
    const fault_t          *row;
    ngx_ws_mgr_envelope_t   e;

    (void) state;

    pool = ngx_ws_mgr_unit_pool();

    for (i = 0; i < N(faults); i++) {
        row = &faults[i];

        if (parse(&e, row->body, pool) != row->result
            || strcmp(e.error, row->error) != 0
            || strcmp(text(&e.member, buf), row->member) != 0
            || strcmp((char *) e.where, row->at) != 0)
        {
            fail_msg("%s: %d, %s: %s, at %s", row->body, e.result,
                     text(&e.member, buf), e.error, e.where);
        }

        agrees(row->body);
    }

    ngx_destroy_pool(pool);
}


static void
test_splices(void **state)
{
    u_char                 *p, buf[512];
    size_t                  i, k, n;
    ngx_pool_t             *pool;
    const splice_t         *row;
    ngx_ws_mgr_envelope_t   e;

    (void) state;

    pool = ngx_ws_mgr_unit_pool();

    for (i = 0; i < N(splices); i++) {
        row = &splices[i];
        p = buf;

        if (parse(&e, row->body, pool) != NGX_WS_MGR_ENVELOPE_OK) {
            fail_msg("%s: %s at %s", row->body, e.error, e.where);
        }

        for (k = 0; k < e.npieces; k++) {
            n = e.pieces[k].end - e.pieces[k].start;
            p = ngx_cpymem(p, e.pieces[k].start, n);
        }

        *p = '\0';

        assert_string_equal((char *) buf, row->spliced);
        assert_int_equal(e.size, p - buf);

        agrees(row->body);
    }

    ngx_destroy_pool(pool);
}


static void
test_known(void **state)
{
    size_t                  i;
    ngx_pool_t             *pool;
    const known_t          *row;
    ngx_ws_mgr_envelope_t   e;

    (void) state;

    pool = ngx_ws_mgr_unit_pool();

    for (i = 0; i < N(knowns); i++) {
        row = &knowns[i];

        if (parse(&e, row->body, pool) != NGX_WS_MGR_ENVELOPE_OK
            || e.known != row->known
            || (row->schema == NULL) != (e.schema == NULL)
            || (row->schema && strcmp(row->schema, e.schema) != 0)
            || !same(row->run, &e.run)
            || !same(row->tool, &e.tool))
        {
            fail_msg("%s: %d, type %d, lacks %s", row->body, e.result, e.known,
                     e.schema ? e.schema : "nothing");
        }

        agrees(row->body);
    }

    ngx_destroy_pool(pool);
}


static void
test_tokens(void **state)
{
    size_t                  i;
    ngx_pool_t             *pool;
    const tokens_t         *row;
    ngx_ws_mgr_envelope_t   e;

    (void) state;

    pool = ngx_ws_mgr_unit_pool();

    for (i = 0; i < N(tokens); i++) {
        row = &tokens[i];

        if (parse(&e, row->body, pool) != NGX_WS_MGR_ENVELOPE_OK
            || e.tokens != row->tokens
            || e.input_tokens != row->input
            || e.output_tokens != row->output
            || fabs(e.cost - row->cost) > 0)
        {
            fail_msg("%s: %d, %d %lu %lu %f", row->body, e.result, e.tokens,
                     e.input_tokens, e.output_tokens, e.cost);
        }

        agrees(row->body);
    }

    ngx_destroy_pool(pool);
}


static void
test_batches(void **state)
{
    char                    buf[512];
    size_t                  i;
    u_char                 *p, *pos, *start, *end;
    ngx_int_t               rc;
    ngx_pool_t             *pool;
    const batch_t          *row;
    ngx_ws_mgr_span_t       item;
    ngx_ws_mgr_envelope_t   e;

    (void) state;

    pool = ngx_ws_mgr_unit_pool();

    for (i = 0; i < N(batches); i++) {
        row = &batches[i];
        p = (u_char *) buf;
        start = (u_char *) row->body;
        end = start + strlen(row->body);

        rc = ngx_ws_mgr_envelope_batch(&e, start, end, pool, &pos);

        if (rc != row->rc
            || (rc == NGX_ERROR && (strcmp(e.error, row->error) != 0
                                    || strcmp((char *) e.where, row->at)
                                       != 0)))
        {
            fail_msg("%s: %d, %s at %s", row->body, (int) rc,
                     e.error ? e.error : "", e.where ? (char *) e.where : "");
        }

        if (rc == NGX_OK) {
            do {
                rc = ngx_ws_mgr_envelope_next(&e, &pos, end, &item);

                if (rc == NGX_OK) {
                    p = ngx_cpymem(p, item.start, item.end - item.start);
                    *p++ = '|';
                }

            } while (rc == NGX_OK);

            *p = '\0';

            assert_int_equal(rc, NGX_DONE);
            assert_string_equal(buf, row->items);
        }

        agrees(row->body);
    }

    ngx_destroy_pool(pool);
}


/* a body of printf's making; the caller frees it */

static char *
body(const char *format, ...)
{
    char     *p;
    va_list   args;

    va_start(args, format);
    assert_true(vasprintf(&p, format, args) > 0);
    va_end(args);

    return p;
}


static char *
repeat(const char *what, size_t n)
{
    char    *p;
    size_t   i, len;

    len = strlen(what);
    p = malloc(n * len + 1);

    for (i = 0; i < n; i++) {
        memcpy(p + i * len, what, len);
    }

    p[n * len] = '\0';

    return p;
}


static void
judge(char *text, ngx_ws_mgr_envelope_result_e result, const char *error)
{
    ngx_pool_t             *pool;
    ngx_ws_mgr_envelope_t   e;

    pool = ngx_ws_mgr_unit_pool();

    assert_int_equal(parse(&e, text, pool), result);

    if (error) {
        assert_string_equal(e.error, error);
    }

    agrees(text);

    free(text);
    ngx_destroy_pool(pool);
}


static void
test_lengths(void **state)
{
    char  *a, *b;

    (void) state;

    a = repeat("t", 64);
    judge(body("{\"type\":\"%s\"}", a), NGX_WS_MGR_ENVELOPE_OK, NULL);
    judge(body("{\"type\":\"%st\"}", a), EVENT,
          "expected a string of 1 to 64 bytes");
    free(a);

    /* bytes after decoding count */

    a = repeat("\\u0075", 255);
    judge(body("{\"type\":\"x\",\"user_id\":\"%s\"}", a),
          NGX_WS_MGR_ENVELOPE_OK, NULL);
    judge(body("{\"type\":\"x\",\"user_id\":\"%su\"}", a), EVENT, ID);
    judge(body("{\"type\":\"x\",\"thread_id\":\"%s\",\"event_id\":\"%s\"}", a,
               a), NGX_WS_MGR_ENVELOPE_OK, NULL);
    judge(body("{\"type\":\"x\",\"run_id\":\"%su\"}", a), EVENT, ID);
    judge(body("{\"type\":\"x\",\"user_ids\":[\"%su\"]}", a), EVENT, ID);
    judge(body("{\"type\":\"agent_failed\",\"data\":{\"run_id\":\"%su\"}}",
               a), NGX_WS_MGR_ENVELOPE_OK, NULL);
    free(a);

    /* the object itself is a level */

    a = repeat("[", NGX_WS_MGR_ENVELOPE_DEPTH - 1);
    b = repeat("]", NGX_WS_MGR_ENVELOPE_DEPTH - 1);
    judge(body("{\"type\":\"x\",\"a\":%s%s}", a, b), NGX_WS_MGR_ENVELOPE_OK,
          NULL);
    judge(body("{\"type\":\"x\",\"a\":[%s%s]}", a, b), JSON,
          "nested deeper than 256");
    judge(body("{\"type\":\"x\",\"data\":%s{}%s}", a, b), JSON,
          "nested deeper than 256");
    free(a);
    free(b);

    a = repeat("{\"a\":[", 10000);
    judge(body("{\"type\":\"x\",\"a\":%s", a), JSON, "nested deeper than 256");
    judge(body("{\"events\":[%s]}", a), JSON, "nested deeper than 256");
    free(a);
}


static char *
users(size_t n, const char *last)
{
    char    *p;
    size_t   i, len;

    p = malloc(n * 16 + 64);
    len = sprintf(p, "{\"type\":\"x\",\"user_ids\":[");

    for (i = 0; i < n; i++) {
        len += sprintf(p + len, "%s\"u-%zu\"", i ? "," : "", i);
    }

    sprintf(p + len, "%s]}", last);

    return p;
}


static void
test_users(void **state)
{
    char                   *p;
    ngx_pool_t             *pool;
    ngx_ws_mgr_envelope_t   e;

    (void) state;

    judge(users(1000, ""), NGX_WS_MGR_ENVELOPE_OK, NULL);
    judge(users(1001, ""), EVENT, "more than 1000 users");
    judge(users(1000, ",5"), EVENT, "more than 1000 users");
    judge(users(999, ",\"u-31\""), EVENT, "user stands twice");
    judge(users(999, ",\"\\u0075-998\""), EVENT, "user stands twice");
    judge(users(2, ",\"u-1"), JSON, CUT);

    pool = ngx_ws_mgr_unit_pool();
    p = users(2, ", \"\\u00e9\\n\"");
    assert_int_equal(parse(&e, p, pool), EVENT);
    free(p);

    p = users(2, ", \"\\u00e9\"");
    assert_int_equal(parse(&e, p, pool), NGX_WS_MGR_ENVELOPE_OK);
    assert_int_equal(e.nusers, 3);
    assert_true(same("u-1", &e.users[1]));
    assert_true(same("\"u-1\"", &e.users_raw[1]));
    assert_true(same("\xc3\xa9", &e.users[2]));
    assert_true(same("\"\\u00e9\"", &e.users_raw[2]));
    free(p);

    ngx_destroy_pool(pool);
}


/* n names, of which the last is that of number "again", or a new one */

static char *
names(size_t n, const char *format, size_t again)
{
    char    *p;
    size_t   i, len;

    p = malloc(n * 32 + 64);
    len = sprintf(p, "{\"type\":\"x\",\"a\":[{\"b\":{");

    for (i = 0; i < n; i++) {
        len += sprintf(p + len, i ? ",\"" : "\"");
        len += sprintf(p + len, format, (i == n - 1) ? again : i);
        len += sprintf(p + len, "\":1");
    }

    sprintf(p + len, "},\"c\":{},\"d\":{\"b\":1}}]}");

    return p;
}


static void
test_names(void **state)
{
    size_t  i, k;

    static const size_t  counts[] = { 2, 31, 32, 33, 34, 63, 64, 65, 66, 129,
                                      1000, 40000 };

    (void) state;

    for (i = 0; i < N(counts); i++) {
        k = counts[i];

        judge(names(k, "%zu", k), NGX_WS_MGR_ENVELOPE_OK, NULL);
        judge(names(k, "%zu", 0), JSON, TWICE);
        judge(names(k, "%zu", k - 2), JSON, TWICE);
        judge(names(k, "name-%08zu", k), NGX_WS_MGR_ENVELOPE_OK, NULL);
        judge(names(k, "name-%08zu", k / 2 - (k == 2)), JSON, TWICE);
    }
}


/* objects with many names inside each other have each their own */

static void
test_nested_names(void **state)
{
    int    i;
    char  *p, *inner;

    (void) state;

    p = strdup("{\"0\":1}");

    for (i = 0; i < 6; i++) {
        inner = p;
        p = names(100 + i, "%zu", 100 + i);
        p[strlen(p) - 2] = '\0';
        p = realloc(p, strlen(p) + strlen(inner) + 8);
        strcat(p, ",");
        strcat(p, inner);
        strcat(p, "]}");
        free(inner);
    }

    judge(strdup(p), NGX_WS_MGR_ENVELOPE_OK, NULL);

    /* the first name of the outermost again, after all that was inside */

    p[strlen(p) - 2] = '\0';
    judge(body("%s],\"a\":1}", p), JSON, TWICE);
    judge(body("%s],\"b\":1}", p), NGX_WS_MGR_ENVELOPE_OK, NULL);

    free(p);
}


static void
test_place(void **state)
{
    u_char      text[] = "{\n\"a\":1,\r\n\n x";
    ngx_uint_t  line, column;

    (void) state;

    ngx_ws_mgr_envelope_place(text, text, &line, &column);
    assert_int_equal(line, 1);
    assert_int_equal(column, 1);

    ngx_ws_mgr_envelope_place(text, text + 3, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 2);

    ngx_ws_mgr_envelope_place(text, text + sizeof(text) - 2, &line, &column);
    assert_int_equal(line, 4);
    assert_int_equal(column, 2);
}


/* xorshift: the same mutations at each run */

static uint32_t
chance(uint32_t n)
{
    static uint32_t  x = 2463534242;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;

    return x % n;
}


static const char *
seed(void)
{
    switch (chance(6)) {

    case 0:
        return faults[chance(N(faults))].body;

    case 1:
        return knowns[chance(N(knowns))].body;

    case 2:
        return tokens[chance(N(tokens))].body;

    case 3:
        return batches[chance(N(batches))].body;

    default:
        return splices[chance(N(splices))].body;
    }
}


/* changes, takes out or puts in a few bytes at one place */

static size_t
mutate(char *buf, size_t len)
{
    size_t       at, n;
    const char  *what;

    static const char  *bits[] = {
        "\"", "{", "}", "[", "]", ",", ":", "\\", "\\u0061", "\\ud83d\\ude00",
        "0", "-1", "1.5e3", "null", "true", " ", "\n", "\xc3\xa9", "\xf0",
        "\"type\":\"x\",", "\"class\":\"drop\",", "\"user_id\":\"*\",",
        "\"user_ids\":[\"a\"],", "\"exclude_users\":[\"a\"],",
        "\"ttl_ms\":5,", "\"audience\":\"thread\",", "\"thread_id\":\"t\",",
        "\"connection_id\":\"c\",", "\"data\":{", "\"tokens\":{\"cost\":1},",
        "\"run_id\":", "\"events\":["
    };

    at = chance(len + 1);

    switch (chance(4)) {

    case 0:
        if (at < len) {
            buf[at] = (char) chance(256);
        }

        return len;

    case 1:
        n = chance(4);
        n = ngx_min(n, len - at);
        memmove(buf + at, buf + at + n, len - at - n);
        return len - n;

    default:
        what = bits[chance(N(bits))];
        n = strlen(what);
        memmove(buf + at + n, buf + at, len - at);
        memcpy(buf + at, what, n);
        return len + n;
    }
}


static void
test_mutations(void **state)
{
    char         buf[2048];
    size_t       len;
    uint32_t     i, n;
    const char  *differs;

    (void) state;

    for (i = 0; i < MUTATIONS; i++) {
        differs = seed();
        len = strlen(differs);
        memcpy(buf, differs, len);

        for (n = 1 + chance(3); n; n--) {
            len = mutate(buf, len);
        }

        differs = oracle(buf, len);

        if (differs) {
            fail_msg("%u: %s: %.*s", i, differs, (int) len, buf);
        }
    }
}


int
ngx_ws_mgr_unit_envelope(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_splices),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_nested_names),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_mutations)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
