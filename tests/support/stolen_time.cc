#include "tests/support/stolen_time.h"

#include <fstream>
#include <string>

namespace plumb::test_support {

StolenTime::Ticks StolenTime::now() {
  constexpr int kModes = 8;  // user nice system idle iowait irq softirq steal; guests are in user
  std::ifstream stat("/proc/stat");
  std::string name;
  stat >> name;
  Ticks ticks;
  for (int i = 0; i < kModes && stat >> ticks.stolen; ++i) ticks.all += ticks.stolen;
  return ticks;
}

double StolenTime::share() const {
  const Ticks end = now();
  return end.all > begin_.all ? (end.stolen - begin_.stolen) / (end.all - begin_.all) : 0;
}

}  // namespace plumb::test_support
