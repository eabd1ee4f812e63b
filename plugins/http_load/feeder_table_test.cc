#include "plugins/http_load/feeder_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace plumb::http_load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Cells = std::vector<std::vector<std::string>>;

Cells cells_of(const FeederTable& table) {
  Cells out(table.rows());
  for (size_t row = 0; row < table.rows(); ++row)
    for (size_t column = 0; column < table.columns().size(); ++column)
      out[row].emplace_back(table.at(row, column));
  return out;
}

std::string csv_problem(std::string_view text) {
  return parse_csv(text, "users.csv").status().message();
}

std::string json_problem(std::string_view text) {
  return parse_json_lines(text, "x.jsonl").status().message();
}

TEST(FeederCsv, ReadsRowsByTheirHeader) {
  const auto table = parse_csv("name,email\nann,a@x.org\nbob,\n", "users.csv");
  ASSERT_TRUE(table.is_ok()) << table.status().message();
  EXPECT_THAT(table->columns(), ElementsAre("name", "email"));
  EXPECT_EQ(cells_of(*table), (Cells{{"ann", "a@x.org"}, {"bob", ""}}));
}

TEST(FeederCsv, ReadsQuotedFields) {
  const auto table = parse_csv("a,\"b c\"\n\"x,\"\"y\"\"\",\"1\n2\"\r\n\"\",z", "users.csv");
  ASSERT_TRUE(table.is_ok()) << table.status().message();
  EXPECT_THAT(table->columns(), ElementsAre("a", "b c"));
  EXPECT_EQ(cells_of(*table), (Cells{{"x,\"y\"", "1\n2"}, {"", "z"}}));
}

TEST(FeederCsv, TakesWhatSpreadsheetsWrite) {
  const auto table = parse_csv("\xef\xbb\xbf\r\na,b\r\n1,2\r\n\r\n\n3,\r\n", "users.csv");
  ASSERT_TRUE(table.is_ok()) << table.status().message();
  EXPECT_THAT(table->columns(), ElementsAre("a", "b"));
  EXPECT_EQ(cells_of(*table), (Cells{{"1", "2"}, {"3", ""}}));
  EXPECT_EQ(cells_of(*parse_csv("a\n1\r2\r", "x")), (Cells{{"1\r2"}}));
}

TEST(FeederCsv, NamesTheLineThatIsWrong) {
  EXPECT_EQ(csv_problem(""), "users.csv: is empty");
  EXPECT_EQ(csv_problem("a,b\n"), "users.csv: holds no rows");
  EXPECT_EQ(csv_problem("a,b\n1,2\n3\n"), "users.csv:3: has 1 fields, and the header row has 2");
  EXPECT_EQ(csv_problem("a\n\"x\ny\"\n1,2\n"),
            "users.csv:4: has 2 fields, and the header row has 1");
  EXPECT_THAT(csv_problem("a\n1\n\"x\ny\n"), HasSubstr("users.csv:3: a quoted field without"));
  EXPECT_THAT(csv_problem("a\nx\"y\"\n"), HasSubstr("users.csv:2: a quote within a field"));
  EXPECT_THAT(csv_problem("a\n\"x\"y\n"), HasSubstr("users.csv:2: text after the closing quote"));
  EXPECT_THAT(csv_problem("a,,c\n1,2,3\n"), HasSubstr("users.csv:1: column 2 has no name"));
  EXPECT_THAT(csv_problem("a,b,a\n1,2,3\n"), HasSubstr("two columns are named 'a'"));
  EXPECT_THAT(csv_problem(std::string(2'000, ',')), HasSubstr("more than 1000 columns"));
}

TEST(FeederJsonLines, TakesTheKeysOfTheFirstLineAsColumns) {
  const auto table = parse_json_lines(
      "{\"id\":7,\"name\":\"a\\nb\",\"tags\":[1,\"x\"]}\n\n"
      "{\"name\":\"c\",\"id\":null,\"tags\":true,\"more\":1}\r\n",
      "x.jsonl");
  ASSERT_TRUE(table.is_ok()) << table.status().message();
  EXPECT_THAT(table->columns(), ElementsAre("id", "name", "tags"));
  EXPECT_EQ(cells_of(*table), (Cells{{"7", "a\nb", "[1,\"x\"]"}, {"null", "c", "true"}}));
}

TEST(FeederJsonLines, NamesTheLineThatIsWrong) {
  EXPECT_EQ(json_problem("\n"), "x.jsonl: holds no rows");
  EXPECT_EQ(json_problem("{\"a\":1}\n{\"a\":\n"), "x.jsonl:2: is no valid JSON");
  EXPECT_EQ(json_problem("{\"a\":1}\n\n[1]\n"), "x.jsonl:3: is no JSON object");
  EXPECT_EQ(json_problem("{\"a\":1}\n{\"b\":1}\n"), "x.jsonl:2: has no 'a', which the first has");
  EXPECT_EQ(json_problem("{}\n"), "x.jsonl:1: names no columns");
}

TEST(FeederFile, IsReadByItsEnding) {
  const auto directory = std::filesystem::temp_directory_path();
  const std::string file = directory / ("feeder-" + std::to_string(getpid()) + ".csv");
  std::ofstream(file) << "a\n1\n";
  EXPECT_EQ(cells_of(*read_feeder_file(file)), (Cells{{"1"}}));
  std::filesystem::remove(file);
  EXPECT_EQ(read_feeder_file(file).status().message(), file + ": No such file or directory");
  EXPECT_THAT(read_feeder_file("users.xls").status().message(), HasSubstr("must end in .csv"));
  const std::string folder = file + ".dir.csv";
  std::filesystem::create_directory(folder);
  EXPECT_THAT(read_feeder_file(folder).status().message(), HasSubstr("is no file"));
  std::filesystem::remove(folder);
}

}  // namespace
}  // namespace plumb::http_load
