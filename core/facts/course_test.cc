#include "core/facts/course.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/facts/random.h"

namespace plumb::facts {
namespace {

constexpr LeastEffect kLatency = {.share = 0.25, .amount = 0.002};

// Noise in which each value keeps half of the last one's, as parts of one run do, of standard
// deviation 1.
class Noise {
 public:
  explicit Noise(uint64_t seed) : random_(seed) {}

  double next() {
    constexpr double kKept = 0.5;
    last_ = kKept * last_ + std::sqrt(1 - kKept * kKept) * normal();
    return last_;
  }

 private:
  double normal() {
    constexpr double kPi = 3.14159265358979;
    return std::sqrt(-2 * std::log(1 - random_.unit())) * std::cos(2 * kPi * random_.unit());
  }

  Random random_;
  double last_ = 0;
};

// `parts` values from one level evenly to another, with noise of that share of the level.
std::vector<double> sloped(double from, double to, size_t parts, double noise, uint64_t seed) {
  Noise source(seed);
  std::vector<double> out;
  for (size_t i = 0; i < parts; ++i) {
    const double level =
        from + (to - from) * static_cast<double>(i) / static_cast<double>(parts - 1);
    out.push_back(level * (1 + noise * source.next()));
  }
  return out;
}

std::vector<double> stepped(const std::vector<std::pair<double, size_t>>& stretches, double noise,
                            uint64_t seed) {
  Noise source(seed);
  std::vector<double> out;
  for (const auto& [level, parts] : stretches)
    for (size_t i = 0; i < parts; ++i) out.push_back(level * (1 + noise * source.next()));
  return out;
}

TEST(Course, OfAHealthyRunIsLevelHoweverMuchItsPartsHangTogether) {
  for (const double noise : {0.03, 0.1, 0.2, 0.4}) {
    size_t alarms = 0;
    for (uint64_t seed = 1; seed <= 200; ++seed) {
      const auto course = course_of(sloped(0.02, 0.02, 60, noise, seed), kLatency);
      ASSERT_TRUE(course.has_value());
      if (!course->steps.empty() || course->first != course->last) ++alarms;
    }
    EXPECT_LE(alarms, 4u) << "with noise of " << noise;
  }
}

TEST(Course, OfALevelWithLongTailsIsLevel) {
  size_t alarms = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::vector<double> parts = sloped(0.02, 0.02, 60, 0.3, seed);
    for (double& part : parts) part = 0.02 * std::exp(2 * (part / 0.02 - 1));
    const auto course = course_of(parts, kLatency);
    if (!course->steps.empty() || course->first != course->last) ++alarms;
  }
  EXPECT_LE(alarms, 4u);
}

TEST(Course, OfAStepHasItsPlaceAndItsLevels) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto course = course_of(stepped({{0.02, 31}, {0.08, 29}}, 0.08, seed), kLatency);
    ASSERT_EQ(course->steps.size(), 1u) << seed;
    EXPECT_EQ(course->steps[0].part, 31u);
    EXPECT_NEAR(course->steps[0].before, 0.02, 0.002);
    EXPECT_NEAR(course->steps[0].after, 0.08, 0.008);
    EXPECT_EQ(course->first, course->steps[0].before);
    EXPECT_EQ(course->last, course->steps[0].after);
  }
}

TEST(Course, OfAStepThatIsTakenBackIsTwoStepsAndEndsWhereItBegan) {
  const auto course = course_of(stepped({{0.02, 25}, {0.08, 12}, {0.02, 23}}, 0.05, 1), kLatency);
  ASSERT_EQ(course->steps.size(), 2u);
  EXPECT_EQ(course->steps[0].part, 25u);
  EXPECT_EQ(course->steps[1].part, 37u);
  EXPECT_NEAR(course->first, course->last, 0.002);
}

TEST(Course, OfASlopeHasNoSteps) {
  for (const double noise : {0.0, 0.03, 0.08}) {
    for (uint64_t seed = 1; seed <= 50; ++seed) {
      const auto course = course_of(sloped(0.02, 0.06, 60, noise, seed), kLatency);
      EXPECT_TRUE(course->steps.empty()) << noise << ", seed " << seed;
      EXPECT_NEAR(course->first, 0.021, 0.004);
      EXPECT_NEAR(course->last, 0.059, 0.012);
    }
  }
}

TEST(Course, OfWhatSettlesIsASlopeOnlyWhereThatMatters) {
  std::vector<double> parts;
  for (int i = 0; i < 60; ++i) parts.push_back(100 - 50 * std::exp(-i / 6.0));
  EXPECT_TRUE(course_of(parts, {.share = 0.2})->steps.empty());
  EXPECT_LT(course_of(parts, {.share = 0.2})->first, 70);
  const auto settled = course_of(parts, {.share = 0.2, .may_settle = true});
  EXPECT_TRUE(settled->steps.empty());
  EXPECT_EQ(settled->first, settled->last);
}

TEST(Course, OfTooSmallAStepIsLevel) {
  const auto by_share = course_of(stepped({{0.1, 30}, {0.12, 30}}, 0, 1), kLatency);
  EXPECT_TRUE(by_share->steps.empty()) << "a fifth more";
  const auto by_amount = course_of(stepped({{0.001, 30}, {0.002, 30}}, 0, 1), kLatency);
  EXPECT_TRUE(by_amount->steps.empty()) << "twice as much, and only a millisecond";
}

TEST(Course, OfAFewPartsIsUnknown) {
  EXPECT_FALSE(course_of({}, kLatency));
  EXPECT_FALSE(course_of(std::vector<double>(11, 1), kLatency));
}

}  // namespace
}  // namespace plumb::facts
