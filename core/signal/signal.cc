#include "core/signal/signal.h"

#include <array>
#include <cstddef>

namespace plumb {
namespace {

template <size_t N>
std::string_view name_at(const std::array<std::string_view, N>& names, uint32_t index) {
  return index < N ? names[index] : names[0];
}

}  // namespace

std::string label_of(const Labels& labels, std::string_view name) {
  for (const auto& [key, value] : labels)
    if (key == name) return value;
  return {};
}

std::string_view layer_name(uint32_t layer) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "none", "client", "network", "app", "database", "downstream", "host"};
  return name_at(kNames, layer);
}

std::string_view kind_name(uint32_t kind) {
  static constexpr std::array<std::string_view, 4> kNames = {"none", "counter", "gauge",
                                                             "histogram"};
  return name_at(kNames, kind);
}

std::string_view part_name(uint32_t part) {
  static constexpr std::array<std::string_view, 6> kNames = {"none",   "utilisation", "saturation",
                                                             "errors", "wait",        "busy"};
  return name_at(kNames, part);
}

std::string_view health_name(uint32_t health) {
  static constexpr std::array<std::string_view, 4> kNames = {"unknown", "ok", "degraded", "dark"};
  return name_at(kNames, health);
}

std::string_view stage_kind_name(uint32_t kind) {
  static constexpr std::array<std::string_view, 6> kNames = {"none",     "warmup", "steady",
                                                             "cooldown", "ramp",   "spike"};
  return name_at(kNames, kind);
}

std::string_view role_name(uint32_t role) {
  static constexpr std::array<std::string_view, 4> kNames = {"none", "sampler", "load", "analyzer"};
  return name_at(kNames, role);
}

std::string_view level_name(uint32_t level) {
  static constexpr std::array<std::string_view, 5> kNames = {"none", "debug", "info", "warning",
                                                             "error"};
  return name_at(kNames, level);
}

}  // namespace plumb
