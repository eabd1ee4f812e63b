#include "core/base/redact.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace plumb {
namespace {

constexpr size_t kShortest = 4;
constexpr std::string_view kMask = "***";

std::string in_json(const std::string& secret) {
  std::string out;
  for (const char c : secret) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string redact(std::string text, std::span<const std::string> secrets) {
  std::vector<std::string> forms;
  for (const std::string& secret : secrets) {
    if (secret.size() < kShortest) continue;
    forms.push_back(secret);
    if (std::string escaped = in_json(secret); escaped != secret) {
      forms.push_back(std::move(escaped));
    }
  }
  std::sort(forms.begin(), forms.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  for (const std::string& form : forms) {
    for (size_t at = text.find(form); at != std::string::npos;
         at = text.find(form, at + kMask.size())) {
      text.replace(at, form.size(), kMask);
    }
  }
  return text;
}

}  // namespace plumb
