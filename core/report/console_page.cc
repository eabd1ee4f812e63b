#include "core/report/console_page.h"

#include <algorithm>
#include <map>

#include "core/report/plain_text.h"

namespace plumb::report {
namespace {

constexpr size_t kNarrowest = 60;
constexpr size_t kWidest = 200;

}  // namespace

ConsolePage::ConsolePage(const ConsoleOptions& options)
    : color_(options.color),
      width_(std::clamp<size_t>(options.width > 0 ? static_cast<size_t>(options.width) : 0,
                                kNarrowest, kWidest)) {}

std::string ConsolePage::painted(const std::string& words, Ink ink) const {
  if (!color_ || words.empty()) return words;
  static const std::map<Ink, const char*> kCodes = {{Ink::kBold, "1"},
                                                    {Ink::kSoft, "2"},
                                                    {Ink::kRed, "1;31"},
                                                    {Ink::kYellow, "1;33"},
                                                    {Ink::kGreen, "1;32"}};
  return std::string("\x1b[") + kCodes.at(ink) + "m" + words + "\x1b[0m";
}

void ConsolePage::line(std::string words) {
  while (!words.empty() && words.back() == ' ') words.pop_back();
  out_ += words + "\n";
}

void ConsolePage::hanging(const std::string& first, const std::string& words, Ink ink, bool paint) {
  const size_t indent = columns_of(first);
  bool head = true;
  for (const std::string& part : wrap(words, width_ > indent ? width_ - indent : 20)) {
    const std::string before = head && paint ? painted(first, ink) : first;
    line((head ? before : std::string(indent, ' ')) + part);
    head = false;
  }
}

}  // namespace plumb::report
