// Test support: what the plugins in the source tree bring.
#ifndef PLUMB_CORE_DIAGNOSE_SHIPPED_RULES_FOR_TESTS_H_
#define PLUMB_CORE_DIAGNOSE_SHIPPED_RULES_FOR_TESTS_H_

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/diagnose/signal_list.h"

namespace plumb::testing {

inline std::string text_of_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Every file below plugins/ that `wanted` takes, by path.
template <typename Wanted>
std::vector<std::filesystem::path> plugin_files(Wanted&& wanted) {
  std::vector<std::filesystem::path> out;
  const std::filesystem::path plugins = std::filesystem::path(PLUMB_SOURCE_DIR) / "plugins";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(plugins))
    if (entry.is_regular_file() && wanted(entry.path())) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

// Every rule file of the plugins, as a run file keeps them.
inline nlohmann::json shipped_rules() {
  nlohmann::json rules = nlohmann::json::array();
  for (const auto& path : plugin_files([](const std::filesystem::path& file) {
         return file.extension() == ".yaml" && file.parent_path().filename() == "rules";
       }))
    rules.push_back({{"origin", path.parent_path().parent_path().filename().string() + "/" +
                                    path.filename().string()},
                     {"text", text_of_file(path)}});
  return rules;
}

// The series that all the plugins list.
inline diagnose::SignalList shipped_signals() {
  diagnose::SignalList out;
  for (const auto& path : plugin_files(
           [](const std::filesystem::path& file) { return file.filename() == "signals.yaml"; })) {
    auto list = diagnose::parse_signals(path.string(), text_of_file(path));
    if (!list.is_ok()) throw std::runtime_error(list.status().message());
    std::move(list->begin(), list->end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace plumb::testing

#endif  // PLUMB_CORE_DIAGNOSE_SHIPPED_RULES_FOR_TESTS_H_
