#include "core/diagnose/usl.h"

#include <gtest/gtest.h>

#include <random>

namespace plumb::diagnose {
namespace {

double rate_of(double n, double lambda, double sigma, double kappa) {
  return lambda * n / (1 + sigma * (n - 1) + kappa * n * (n - 1));
}

// Points of a known law, each off by up to `noise`.
std::vector<LoadPoint> points_of(double lambda, double sigma, double kappa, double most,
                                 double noise = 0) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> off(-noise, noise);
  std::vector<LoadPoint> out;
  for (double n = 1; n <= most; n += most / 20)
    out.push_back({n, rate_of(n, lambda, sigma, kappa) * (1 + off(random))});
  return out;
}

TEST(Usl, FindsTheLawThatMadeThePoints) {
  const auto fit = fit_usl(points_of(100, 0.05, 0.002, 40));
  ASSERT_TRUE(fit.is_ok()) << fit.status().message();
  EXPECT_NEAR(fit->lambda.value, 100, 1e-6);
  EXPECT_NEAR(fit->sigma.value, 0.05, 1e-9);
  EXPECT_NEAR(fit->kappa.value, 0.002, 1e-9);
  ASSERT_TRUE(fit->peak_in_flight);
  EXPECT_NEAR(fit->peak_in_flight->value, 21.79, 0.01);
  EXPECT_NEAR(fit->peak_rate.value, rate_of(21.79, 100, 0.05, 0.002), 0.01);
}

TEST(Usl, GivesIntervalsThatHoldTheTruthUnderNoise) {
  const auto fit = fit_usl(points_of(100, 0.05, 0.002, 40, 0.04));
  ASSERT_TRUE(fit.is_ok()) << fit.status().message();
  const double truth = rate_of(21.79, 100, 0.05, 0.002);
  EXPECT_LT(fit->peak_rate.interval.low, truth);
  EXPECT_GT(fit->peak_rate.interval.high, truth);
  EXPECT_LT(fit->peak_rate.interval.high - fit->peak_rate.interval.low, 0.2 * truth);
}

TEST(Usl, OfSamePointsIsTheSame) {
  const auto points = points_of(100, 0.05, 0.002, 40, 0.04);
  EXPECT_EQ(fit_usl(points)->peak_rate.interval.low, fit_usl(points)->peak_rate.interval.low);
}

TEST(Usl, HasNoPeakWhereThroughputOnlyLevelsOff) {
  const auto fit = fit_usl(points_of(100, 0.1, 0, 60));
  ASSERT_TRUE(fit.is_ok()) << fit.status().message();
  EXPECT_FALSE(fit->peak_in_flight);
  EXPECT_NEAR(fit->peak_rate.value, 1000, 1);
}

TEST(Usl, IsRefusedWhereThePointsCannotCarryIt) {
  EXPECT_NE(fit_usl({{1, 10}, {9, 80}}).status().message().find("only 2 stretches"),
            std::string::npos);
  EXPECT_NE(fit_usl(std::vector<LoadPoint>(20, {5, 100})).status().message().find("hardly varied"),
            std::string::npos);
  EXPECT_NE(fit_usl(points_of(100, 0, 0, 40)).status().message().find("ramp higher"),
            std::string::npos);
  EXPECT_NE(fit_usl(points_of(100, 0.05, 0.002, 40, 0.9)).status().message().find("off"),
            std::string::npos);
}

}  // namespace
}  // namespace plumb::diagnose
