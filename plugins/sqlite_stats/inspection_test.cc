#include "inspection.h"

#include <gmock/gmock.h>

namespace plumb::sqlite_stats {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kGood[] = R"({"format": 1,
  "tables": [{"name": "orders", "rows": 12000, "rows_from": "ANALYZE", "bytes": 409600, "notes": [],
              "indexes": [{"name": "by_day", "columns": ["day", "id"], "unique": true,
                           "bytes": 4096,
                           "notes": ["used by none of the 3 statements explained"]}]},
             {"name": "empty", "indexes": [], "notes": ["virtual table"]}],
  "statements": [{"number": 3, "text": "SELECT * FROM orders", "plan": ["SCAN orders"],
                  "findings": ["SCAN of orders"]}],
  "notes": ["no sizes"]})";

TEST(InspectionTest, TablesAndPlansBecomeRows) {
  const auto read = parse_inspection(kGood);
  ASSERT_TRUE(read.is_ok()) << read.status().message();
  EXPECT_EQ(read->refused, "");
  ASSERT_THAT(read->tables, SizeIs(2));
  nlohmann::json rows = nlohmann::json::array();
  read->add_table_rows("shop.db", rows);
  const nlohmann::json orders{
      "shop.db", "orders",
      12000,     "ANALYZE",
      409600,    "unique by_day(day, id)",
      4096,      "index by_day: used by none of the 3 statements explained"};
  EXPECT_EQ(rows.at(0), orders);
  EXPECT_TRUE(rows.at(1).at(2).is_null()) << "unknown is not zero";
  nlohmann::json plans = nlohmann::json::array();
  read->add_plan_rows("shop.db", plans);
  const nlohmann::json plan{"shop.db", 3, "SELECT * FROM orders", "SCAN orders", "SCAN of orders"};
  EXPECT_EQ(plans.at(0), plan);
}

TEST(InspectionTest, RefusalIsTold) {
  const auto read = parse_inspection(R"({"format": 1, "refused": "the file is empty"})");
  ASSERT_TRUE(read.is_ok());
  EXPECT_EQ(read->refused, "the file is empty");
}

TEST(InspectionTest, OtherTextIsRefusedWithASentence) {
  const auto refusal = [](std::string_view text) {
    const auto read = parse_inspection(text);
    EXPECT_FALSE(read.is_ok()) << text;
    return read.status().message();
  };
  EXPECT_THAT(refusal(""), HasSubstr("no JSON"));
  EXPECT_THAT(refusal(std::string_view(kGood).substr(0, 200)), HasSubstr("no JSON"));
  EXPECT_THAT(refusal("[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal(R"({"format": 2})"), HasSubstr("one version"));
  EXPECT_THAT(refusal("{}"), HasSubstr("one version"));
  EXPECT_THAT(refusal(std::string(kMostInspectionBytes + 1, ' ')), HasSubstr("more than 1 MiB"));
}

TEST(InspectionTest, WrongTypesAreLeftOutAndLongTextsCut) {
  const auto read = parse_inspection(
      R"({"format": 1, "refused": 7, "notes": "x", "statements": {"a": 1},
          "tables": [5, null, {"name": ["x"], "rows": -3, "bytes": 1.5, "indexes": 4},
                     {"name": ")" +
      std::string(5000, 'n') + R"(", "rows": 18446744073709551615}]})");
  ASSERT_TRUE(read.is_ok()) << read.status().message();
  EXPECT_EQ(read->refused, "");
  ASSERT_THAT(read->tables, SizeIs(2));
  EXPECT_FALSE(read->tables[0].rows);
  EXPECT_FALSE(read->tables[0].bytes);
  EXPECT_LT(read->tables[1].name.size(), 300u);
}

TEST(InspectionTest, ManyAndDeepEntriesAreBounded) {
  std::string many = R"({"format": 1, "tables": [)";
  for (int i = 0; i < 3000; ++i) many += R"({"name": "t"},)";
  many.back() = ']';
  const auto read = parse_inspection(many + "}");
  ASSERT_TRUE(read.is_ok());
  EXPECT_THAT(read->tables, SizeIs(1000));
  const std::string deep =
      R"({"format": 1, "tables": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_TRUE(parse_inspection(deep).is_ok());
}

}  // namespace
}  // namespace plumb::sqlite_stats
