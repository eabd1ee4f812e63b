#include "core/imports/csv_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::imports {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> texts(const CsvRecord& record) {
  std::vector<std::string> out;
  for (const CsvCell& cell : record.cells()) out.emplace_back(cell.text);
  return out;
}

TEST(CsvRecord, QuotedFieldsHoldCommasAndQuotes) {
  CsvRecord record;
  ASSERT_TRUE(record.add(R"(1,"a, ""b""",,"")"));
  EXPECT_THAT(texts(record), ElementsAre("1", "a, \"b\"", "", ""));
  EXPECT_EQ(record.cells()[2].column, 14u);
}

TEST(CsvRecord, AFieldGoesOnOverLinesUntilItsQuoteIsClosed) {
  CsvRecord record;
  EXPECT_FALSE(record.add(R"(1,"first)"));
  EXPECT_FALSE(record.add(R"(with ""two"" quotes)"));
  EXPECT_TRUE(record.is_open());
  ASSERT_TRUE(record.add(R"(last",2)"));
  EXPECT_THAT(texts(record), ElementsAre("1", "first\nwith \"two\" quotes\nlast", "2"));
  ASSERT_TRUE(record.add("3,4"));
  EXPECT_THAT(texts(record), ElementsAre("3", "4"));
}

TEST(CsvRecord, AQuoteThatNobodyClosesDoesNotSwallowTheFile) {
  CsvRecord record;
  EXPECT_FALSE(record.add("1,\"open"));
  for (int i = 0; i < 100'000 && !record.too_long(); ++i) EXPECT_FALSE(record.add("2,3"));
  EXPECT_TRUE(record.too_long());
}

}  // namespace
}  // namespace plumb::imports
