#include "core/serve/report_format.h"

#include <gtest/gtest.h>

namespace plumb::serve {
namespace {

TEST(ReportFormat, IsJsonUnlessSomethingElseIsAsked) {
  EXPECT_EQ(report_format_accepted("*/*"), ReportFormat::kJson);
  EXPECT_EQ(report_format_accepted("application/*"), ReportFormat::kJson);
}

TEST(ReportFormat, IsAPageForABrowser) {
  EXPECT_EQ(report_format_accepted("text/html,application/xhtml+xml,application/xml;q=0.9,"
                                   "image/avif,*/*;q=0.8"),
            ReportFormat::kHtml);
}

TEST(ReportFormat, FollowsTheQualities) {
  EXPECT_EQ(report_format_accepted("text/html;q=0.2, text/csv;q=0.9"), ReportFormat::kCsv);
  EXPECT_EQ(report_format_accepted("*/*, application/json;q=0"), ReportFormat::kHtml);
  EXPECT_EQ(report_format_accepted("text/*;q=0.5, text/markdown"), ReportFormat::kMarkdown);
  EXPECT_EQ(report_format_accepted("text/plain"), ReportFormat::kConsole);
}

TEST(ReportFormat, IsNoneWhenNoneIsAccepted) {
  for (const char* accept : {"", "image/png", "application/json;q=0", "nonsense", ";;,,;q="}) {
    EXPECT_FALSE(report_format_accepted(accept)) << accept;
  }
}

TEST(ReportFormat, HasNames) {
  EXPECT_EQ(report_format_named("md"), ReportFormat::kMarkdown);
  EXPECT_EQ(report_format_named("folded"), ReportFormat::kFolded);
  EXPECT_EQ(report_media_type(ReportFormat::kFolded), "text/plain; charset=utf-8");
  EXPECT_EQ(report_media_type(ReportFormat::kSpeedscope), "application/json");
  EXPECT_FALSE(report_format_named("pdf"));
}

}  // namespace
}  // namespace plumb::serve
