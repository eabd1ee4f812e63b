#include "plugins/proc/stat.h"

#include <gtest/gtest.h>

#include <string>

namespace plumb::proc {
namespace {

constexpr std::string_view kCaptured =
    "2848 (my (odd) name) S 2835 2835 19019 0 -1 4194304 145 0 0 0 126 7 3 2 20 0 5 0 130303 "
    "98082816 700 18446744073709551615 94218564898816 94218564900833 140729052683936 0 0 0 65536 6 "
    "0 0 0 0 17 0 0 0 0 0 0 94218564910384 94218564911272 94218889408512 140729052686835 "
    "140729052686839 140729052686839 140729052688372 0\n";

TEST(ParseStat, TakesSpacesAndParenthesesInTheName) {
  const auto s = parse_stat(kCaptured);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->pid, 2848);
  EXPECT_EQ(s->comm, "my (odd) name");
  EXPECT_EQ(s->state, 'S');
  EXPECT_EQ(s->ppid, 2835);
  EXPECT_EQ(s->user_ticks, 126u);
  EXPECT_EQ(s->system_ticks, 7u);
  EXPECT_EQ(s->reaped_user_ticks, 3u);
  EXPECT_EQ(s->reaped_system_ticks, 2u);
  EXPECT_EQ(s->threads, 5u);
  EXPECT_EQ(s->start_ticks, 130303u);
  EXPECT_EQ(s->resident_pages, 700u);
}

TEST(ParseStat, EveryTornPrefixGivesNothing) {
  for (size_t n = 0; n < kCaptured.size(); ++n) {
    EXPECT_FALSE(parse_stat(kCaptured.substr(0, n))) << n;
  }
}

TEST(ParseStat, HostileTextGivesNothing) {
  EXPECT_FALSE(parse_stat(")(\n"));
  EXPECT_FALSE(parse_stat("1 (x\n"));
  EXPECT_FALSE(parse_stat("-1 (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n"));
  EXPECT_FALSE(
      parse_stat("1 (x) S 1 1 1 1 1 1 1 1 1 1 99999999999999999999999 1 1 1 1 1 1 1 1 1 1\n"));
  EXPECT_FALSE(parse_stat("1 (x) SLEEPING 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n"));
}

TEST(ParseState, IsTheLetterAfterTheName) {
  EXPECT_EQ(parse_state(kCaptured), 'S');
  EXPECT_EQ(parse_state("7 (a) R b) D 1 1\n"), 'D');
  EXPECT_EQ(parse_state("7 (a"), '\0');
  EXPECT_EQ(parse_state("7 (a) D"), '\0');
}

TEST(ParseSchedstat, TakesThreeNumbersAndAnEnd) {
  const auto s = parse_schedstat("293749375 206855262 65\n");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->run_ns, 293749375u);
  EXPECT_EQ(s->wait_ns, 206855262u);
  EXPECT_EQ(s->slices, 65u);
  for (const char* bad : {"", "293749375 206855262 65", "1 2\n", "1 -2 3\n", "a b c\n"}) {
    EXPECT_FALSE(parse_schedstat(bad)) << bad;
  }
}

TEST(ParseSwitches, TellsVoluntaryFromInvoluntary) {
  const auto s =
      parse_switches("Name:\tt\nvoluntary_ctxt_switches:\t6\nnonvoluntary_ctxt_switches:\t64\n");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->voluntary, 6u);
  EXPECT_EQ(s->involuntary, 64u);
  EXPECT_FALSE(parse_switches("voluntary_ctxt_switches:\t6\nnonvoluntary_ctxt_switches:\t6"));
}

TEST(ParseIo, TakesWhatReachedStorage) {
  const auto io = parse_io("rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\n");
  ASSERT_TRUE(io);
  EXPECT_EQ(io->read, 4096u);
  EXPECT_EQ(io->written, 8192u);
  EXPECT_FALSE(parse_io("read_bytes: 4096\nwrite_by"));
}

}  // namespace
}  // namespace plumb::proc
