// Test only: how many descriptors this process has open, and what happens when it may open no more.
#ifndef PLUMB_PLUGINS_HOST_METRICS_OWN_DESCRIPTORS_H_
#define PLUMB_PLUGINS_HOST_METRICS_OWN_DESCRIPTORS_H_

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace plumb::host_metrics {

inline size_t own_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

// While it lives every open fails with EMFILE; what is open stays so.
class NoDescriptorLeft {
 public:
  NoDescriptorLeft() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit none{0, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptorLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptorLeft(const NoDescriptorLeft&) = delete;
  NoDescriptorLeft& operator=(const NoDescriptorLeft&) = delete;

 private:
  rlimit before_{};
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_OWN_DESCRIPTORS_H_
