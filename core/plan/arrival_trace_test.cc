#include "core/plan/arrival_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace plumb::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ArrivalTrace : public testing::Test {
 protected:
  ArrivalTrace() : file_(testing::TempDir() + "arrivals-" + std::to_string(::getpid())) {}
  ~ArrivalTrace() override { std::filesystem::remove(file_); }
  Result<std::vector<int64_t>> read(const std::string& text) {
    std::ofstream(file_) << text;
    return read_arrival_trace(file_);
  }
  std::string file_;
};

TEST_F(ArrivalTrace, IsSecondsSinceItsFirstArrival) {
  EXPECT_THAT(read("0\n0.5\n2\n").value(), ElementsAre(0, 500'000'000, 2'000'000'000));
  EXPECT_THAT(read("1700000000.25\r\n\n1700000001.5\r\n").value(), ElementsAre(0, 1'250'000'000));
}

TEST_F(ArrivalTrace, MayBeTheFirstColumnOfACsv) {
  EXPECT_THAT(read("time,path\n1.0,/a\n1.5,/b\n").value(), ElementsAre(0, 500'000'000));
}

TEST_F(ArrivalTrace, ThatIsWrongIsNamedWithItsLine) {
  EXPECT_THAT(read("0\n1\nsoon\n").status().message(), HasSubstr(":3: expected seconds"));
  EXPECT_THAT(read("5\n4\n").status().message(), HasSubstr(":2: goes back in time"));
  EXPECT_THAT(read("").status().message(), HasSubstr("holds no arrival"));
  EXPECT_THAT(read_arrival_trace("/no/such").status().message(), HasSubstr("cannot read /no/such"));
  EXPECT_THAT(read_arrival_trace("/tmp").status().message(), HasSubstr("is a directory"));
}

}  // namespace
}  // namespace plumb::plan
