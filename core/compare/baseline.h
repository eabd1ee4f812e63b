// Runs that others are held against, by name. They are kept beside the runs, in
// `<run directory>/baselines`: an index, and a copy of each run file, so that a baseline outlives
// the runs that it was made of.
#ifndef PLUMB_CORE_COMPARE_BASELINE_H_
#define PLUMB_CORE_COMPARE_BASELINE_H_

#include <cstdint>
#include <filesystem>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::compare {

inline constexpr std::string_view kDefaultBaseline = "default";

// Each plan has its own baselines.
struct Baseline {
  std::string plan;
  std::string name;
  int64_t set_unix_ms = 0;
  std::vector<std::string> runs;  // ids
};

// Letters, digits, '.', '_' and '-', at most 64, not beginning with '-'.
bool is_baseline_name(std::string_view name);

// The baselines of one run directory. Every call reads the index anew; changes are whole or not at
// all, and wait for those of other processes.
class Baselines {
 public:
  explicit Baselines(std::filesystem::path run_directory);

  // By plan, then by name. A directory without baselines has none; an index that cannot be
  // understood is an error that names its file.
  Result<std::vector<Baseline>> list() const;
  // NOT_FOUND says how one is made, and which names the plan has.
  Result<Baseline> find(std::string_view plan, std::string_view name) const;
  // Adds or replaces; `files` are the run files of its runs, in their order.
  Status set(const Baseline& baseline, const std::vector<std::filesystem::path>& files);
  Status remove(std::string_view plan, std::string_view name);
  // The copies of its runs' files. NOT_FOUND when one was taken away.
  Result<std::vector<std::filesystem::path>> files_of(const Baseline& baseline) const;

 private:
  std::filesystem::path copy_of(std::string_view run) const;
  Status write(const std::vector<Baseline>& baselines);
  void drop_unused_copies(const std::vector<Baseline>& baselines);

  std::filesystem::path directory_;
};

}  // namespace plumb::compare

#endif  // PLUMB_CORE_COMPARE_BASELINE_H_
