// The console report's page and its sections, each of which reads report.json.
#ifndef PLUMB_CORE_REPORT_CONSOLE_PAGE_H_
#define PLUMB_CORE_REPORT_CONSOLE_PAGE_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "core/report/report.h"

namespace plumb::report {

enum class Ink { kBold, kSoft, kRed, kYellow, kGreen };

// Lines of text as wide as the terminal, painted where it shows colours.
class ConsolePage {
 public:
  explicit ConsolePage(const ConsoleOptions& options);

  size_t width() const { return width_; }
  std::string painted(const std::string& words, Ink ink) const;
  void line(std::string words = {});
  // `first` and then `words`, further lines indented as far as `first` is wide.
  void hanging(const std::string& first, const std::string& words, Ink ink = Ink::kBold,
               bool paint = false);
  std::string take() { return std::move(out_); }

 private:
  const bool color_;
  const size_t width_;
  std::string out_;
};

// What the load did: title and totals, failures, endpoints.
void print_head(ConsolePage& page, const nlohmann::json& report);
void print_failures(ConsolePage& page, const nlohmann::json& report);
void print_endpoints(ConsolePage& page, const nlohmann::json& report);
void print_stages(ConsolePage& page, const nlohmann::json& report);

// Where the time goes.
void print_ledger(ConsolePage& page, const nlohmann::json& report);
// What changed under the same load.
void print_changes(ConsolePage& page, const nlohmann::json& report);
void print_matrix(ConsolePage& page, const nlohmann::json& report);
void print_profiles(ConsolePage& page, const nlohmann::json& report);

// What follows from it.
void print_verdict(ConsolePage& page, const nlohmann::json& report);
// Warnings and errors that plugins and the engine gave.
void print_events(ConsolePage& page, const nlohmann::json& report);
void print_advice(ConsolePage& page, const nlohmann::json& report);
void print_capacity(ConsolePage& page, const nlohmann::json& report);
void print_objectives(ConsolePage& page, const nlohmann::json& report);
void print_remarks(ConsolePage& page, const nlohmann::json& report);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_CONSOLE_PAGE_H_
