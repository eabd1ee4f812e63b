#include "plugins/http_load/captured_answer.h"

#include <strings.h>

#include <algorithm>

namespace plumb::http_load {
namespace {

using nlohmann::json;

constexpr size_t kKeptCapacity = 16 * 1024;
constexpr size_t kMostKeptHeaders = 100;
constexpr size_t kLongestHeader = 64 * 1024;

}  // namespace

bool same_header(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

void AnswerNeeds::add_header(const std::string& name) { headers.push_back(name); }

void CapturedAnswer::clear() {
  body_.clear();
  is_cut_ = false;
  headers_.clear();
  cookies_.clear();
  is_parsed_ = false;
  document_.reset();
}

void CapturedAnswer::expect(const AnswerNeeds& needs) {
  needs_ = &needs;
  clear();
}

void CapturedAnswer::release() {
  clear();
  if (body_.capacity() > kKeptCapacity) std::string().swap(body_);
}

void CapturedAnswer::on_answer(int) { clear(); }

void CapturedAnswer::on_header(std::string_view name, std::string_view value) {
  if (value.size() > kLongestHeader) return;
  if (needs_->cookies && same_header(name, "set-cookie") && cookies_.size() < kMostKeptHeaders)
    cookies_.emplace_back(value);
  const bool wanted = std::any_of(needs_->headers.begin(), needs_->headers.end(),
                                  [&](const auto& header) { return same_header(header, name); });
  if (wanted && headers_.size() < kMostKeptHeaders) headers_.emplace_back(name, value);
}

bool CapturedAnswer::on_body(std::string_view bytes, int64_t) {
  if (!needs_->body) return true;
  const size_t room = kMostBody - body_.size();
  is_cut_ = is_cut_ || bytes.size() > room;
  body_ += bytes.substr(0, room);
  // What comes beyond is read over, so that the connection can be used again.
  return true;
}

const std::string* CapturedAnswer::header(std::string_view name) const {
  const auto at = std::find_if(headers_.begin(), headers_.end(),
                               [&](const auto& header) { return same_header(header.first, name); });
  return at == headers_.end() ? nullptr : &at->second;
}

const json* CapturedAnswer::document() {
  if (!is_parsed_ && !is_cut_) {
    document_ = json::parse(body_, nullptr, /*allow_exceptions=*/false);
    if (document_->is_discarded()) document_.reset();
  }
  is_parsed_ = true;
  return document_ ? &*document_ : nullptr;
}

const json* CapturedAnswer::at(const json::json_pointer& pointer) {
  const json* whole = document();
  if (whole == nullptr) return nullptr;
  try {
    return whole->contains(pointer) ? &whole->at(pointer) : nullptr;
  } catch (const json::exception&) {  // a number that is no index of a list
    return nullptr;
  }
}

}  // namespace plumb::http_load
