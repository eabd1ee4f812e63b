// Tests that measure need the processors they are given: theft by the hypervisor is in what they
// measure, and no fault of what they test.
#ifndef PLUMB_TESTS_SUPPORT_STOLEN_TIME_H_
#define PLUMB_TESTS_SUPPORT_STOLEN_TIME_H_

namespace plumb::test_support {

class StolenTime {
 public:
  StolenTime() : begin_(now()) {}
  // Of all processors' time since the object was made, as /proc/stat tells it.
  double share() const;

 private:
  struct Ticks {
    double stolen = 0, all = 0;
  };
  static Ticks now();

  Ticks begin_;
};

}  // namespace plumb::test_support

#endif  // PLUMB_TESTS_SUPPORT_STOLEN_TIME_H_
