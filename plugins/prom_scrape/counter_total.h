// A running total that never falls, made of a counter that may begin anew.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_COUNTER_TOTAL_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_COUNTER_TOTAL_H_

#include <algorithm>
#include <cstdint>

namespace plumb::prom_scrape {

// How what was read now follows on what was read before.
enum class Continuity : uint8_t {
  kSame,       // the same counter, further on
  kRestarted,  // it began anew at zero since
  kOther,      // it is another process's: what grew meanwhile is unknown
};

class CounterTotal {
 public:
  bool falls_at(double raw) const { return raw < raw_; }
  // `raw` is finite and not negative. Returns the total.
  double update(double raw, Continuity continuity) {
    if (continuity == Continuity::kOther)
      base_ = total_ - raw;
    else if (continuity == Continuity::kRestarted || raw < raw_)
      base_ = total_;
    raw_ = raw;
    total_ = std::max(total_, base_ + raw_);
    return total_;
  }
  double total() const { return total_; }

 private:
  double raw_ = 0;
  double base_ = 0;
  double total_ = 0;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_COUNTER_TOTAL_H_
