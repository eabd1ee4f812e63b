#include "plugins/pg_stats/statement_text.h"

#include <gtest/gtest.h>

namespace plumb::pg_stats {
namespace {

TEST(RedactStatement, StringsAndNumbersBecomeQuestionMarks) {
  EXPECT_EQ(redact_statement("SELECT * FROM t WHERE a = 'x' AND b = 42 AND c > 1.5e-3"),
            "SELECT * FROM t WHERE a = ? AND b = ? AND c > ?");
  EXPECT_EQ(redact_statement("ALTER ROLE app PASSWORD 'hunter2'"), "ALTER ROLE app PASSWORD ?");
  EXPECT_EQ(redact_statement("SELECT .5, 0x1F, -7"), "SELECT ?, ?, -?");
}

TEST(RedactStatement, EscapesInsideStringsDoNotEndThem) {
  EXPECT_EQ(redact_statement("SELECT 'it''s secret', 2"), "SELECT ?, ?");
  EXPECT_EQ(redact_statement(R"(SELECT E'a\'b secret', 'c')"), "SELECT ?, ?");
  EXPECT_EQ(redact_statement(R"(SELECT 'a\b', c)"), "SELECT ?, c");
  EXPECT_EQ(redact_statement("SELECT U&'d', B'01', X'FF', N'n'"), "SELECT ?, ?, ?, ?");
}

TEST(RedactStatement, WhereOnlyTheOtherSessionKnowsWhatABackslashMeansTheRestGoes) {
  // With its standard_conforming_strings off, the quote in the middle is part of the string.
  EXPECT_EQ(redact_statement(R"(SELECT 'it\'s secret', 'x')"), "SELECT ?");
}

TEST(RedactStatement, DollarQuotesAreStringsAndParametersAreNot) {
  EXPECT_EQ(redact_statement("DO $$ secret $$"), "DO ?");
  EXPECT_EQ(redact_statement("DO $body$ a $$ secret $body$ x"), "DO ? x");
  EXPECT_EQ(redact_statement("SELECT $1, $23 FROM t"), "SELECT $1, $23 FROM t");
}

TEST(RedactStatement, ALiteralThatWasCutOffGoesToo) {
  EXPECT_EQ(redact_statement("INSERT INTO t VALUES ('secre"), "INSERT INTO t VALUES (?");
  EXPECT_EQ(redact_statement("DO $x$ secre"), "DO ?");
  EXPECT_EQ(redact_statement("SELECT 1 /* secre"), "SELECT ?");
}

TEST(RedactStatement, CommentsAndWhiteSpaceCollapse) {
  EXPECT_EQ(
      redact_statement("  SELECT\n\t a /* traceparent='00-1' /* x */ y */ FROM  t -- tail 5\n"),
      "SELECT a FROM t");
}

TEST(RedactStatement, IdentifiersKeepTheirDigits) {
  EXPECT_EQ(redact_statement("SELECT t1.c2 FROM table3 t1, \"Order 66\""),
            "SELECT t1.c2 FROM table3 t1, \"Order 66\"");
}

TEST(RedactStatement, TextThatIsNoSqlSurvives) {
  EXPECT_EQ(redact_statement(""), "");
  EXPECT_EQ(redact_statement("$"), "$");
  EXPECT_EQ(redact_statement("<insufficient privilege>"), "<insufficient privilege>");
}

TEST(RedactStatement, WhatASettingIsSetToGoesThoughItHasNoQuotes) {
  EXPECT_EQ(redact_statement("set app.token = hunter2"), "set app.token = ?");
  EXPECT_EQ(redact_statement("SET LOCAL app.token TO \"hunter2\", also"),
            "SET LOCAL app.token TO ?");
  EXPECT_EQ(redact_statement("BEGIN; SET SESSION \"a\".b=hunter2;SELECT c"),
            "BEGIN; SET SESSION \"a\".b=?;SELECT c");
  EXPECT_EQ(redact_statement("ALTER ROLE app IN DATABASE d SET app.token = \"hunter2;\""),
            "ALTER ROLE app IN DATABASE d SET app.token = ?");
  EXPECT_EQ(redact_statement("/* x */ ALTER SYSTEM SET a.b TO/**/hunter2"),
            "ALTER SYSTEM SET a.b TO ?");
  EXPECT_EQ(redact_statement("CREATE FUNCTION f() RETURNS int SET a.b = hunter2 AS $$x$$"),
            "CREATE FUNCTION f() RETURNS int SET a.b = ?");
}

TEST(RedactStatement, ASetThatSetsNoSettingStays) {
  for (const char* sql :
       {"UPDATE t SET a = b, c = d WHERE e = f", "EXPLAIN UPDATE t SET a = b", "SET ROLE app",
        "SET TRANSACTION READ ONLY", "ALTER TABLE t SET SCHEMA s", "ALTER TABLE a RENAME TO b",
        "INSERT INTO t SELECT a ON CONFLICT DO UPDATE SET a = b",
        "ALTER TABLE t SET (autovacuum_enabled = false)"})
    EXPECT_EQ(redact_statement(sql), sql);
}

// Each takes a redactor that lost its place for a literal, or a literal for a name.
TEST(RedactStatement, HostileTextGivesNothingAway) {
  for (const char* sql :
       {"SELECT E'a' \n 'b\\'hunter2'",         // goes on in the next line, escapes and all
        "SELECT E'a' -- it's\n 'b\\'hunter2'",  // with a comment between
        "SELECT e'a'\r'b\\'hunter2'",
        "SELECT 1 -- x\r, 'it\n'' hunter2'",  // a carriage return ends a comment
        "SELECT 1e'x\\'hunter2'",             // number, then string: before version 15
        "SELECT 'hunter2", "SELECT \"a\"\"b\", 'hunter2'", "SELECT $a$ $b$ hunter2 $a$",
        "SELECT $$hunter2", "SELECT a$b$'hunter2'$b$", "SELECT U&'hunter2' UESCAPE '!'",
        "SELECT /* ' */ 'hunter2' /* ' */", "SELECT /* /* */ 'hunter2", "SELECT a--b'\n'hunter2'",
        "SELECT '\xc3' || 'hunter2'", "ALTER ROLE x PASSWORD 'hunter2' VALID UNTIL 'infinity'",
        "COPY t FROM PROGRAM 'curl -u x:hunter2 http://h'",
        "CREATE USER MAPPING FOR x SERVER y OPTIONS (password $$hunter2$$)"})
    EXPECT_EQ(redact_statement(sql).find("hunter2"), std::string::npos) << redact_statement(sql);
}

TEST(RedactStatement, WherePlainStringsEscapeABackslashHidesTheQuote) {
  EXPECT_EQ(redact_statement(R"(SELECT 'a\'hunter2', b)", true), "SELECT ?, b");
  EXPECT_EQ(redact_statement(R"(SELECT N'a\'hunter2', b)", true), "SELECT ?, b");
  EXPECT_EQ(redact_statement(R"(SELECT 'a\\', b)", true), "SELECT ?, b");
}

TEST(CutText, CountsCharactersNotBytes) {
  EXPECT_EQ(cut_text("abc", 3), "abc");
  EXPECT_EQ(cut_text("abcd", 3), "ab…");
  EXPECT_EQ(cut_text("äöü", 3), "äöü");
  EXPECT_EQ(cut_text("äöüß", 3), "äö…");
}

TEST(CutText, BytesThatAreNoUtf8BecomeQuestionMarks) {
  EXPECT_EQ(cut_text("a\xff\xc3", 10), "a??");
  EXPECT_EQ(cut_text("\xed\xa0\x80", 10), "???");
}

TEST(QueryIdText, IsUnsignedHexadecimal) {
  EXPECT_EQ(query_id_text(255), "ff");
  EXPECT_EQ(query_id_text(-1), "ffffffffffffffff");
  EXPECT_EQ(query_id_text(0), "");
}

}  // namespace
}  // namespace plumb::pg_stats
