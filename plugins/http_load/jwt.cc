#include "plugins/http_load/jwt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/http_load/encoding.h"

namespace plumb::http_load {

std::string sign_hs256(std::string_view claims, std::string_view secret) {
  std::string out;
  append_base64url(R"({"alg":"HS256","typ":"JWT"})", out);
  out += '.';
  append_base64url(claims, out);
  unsigned char signature[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(out.data()), out.size(), signature, &size);
  out += '.';
  append_base64url({reinterpret_cast<const char*>(signature), size}, out);
  return out;
}

Result<std::unique_ptr<JwtAuthorization>> JwtAuthorization::open(const AuthPlan& plan) {
  auto claims = Template::compile(plan.claims, TemplatePlace::kJsonBody, TemplateNames());
  if (!claims.is_ok()) return claims.status().with_context("load.auth.claims");
  auto out = std::make_unique<JwtAuthorization>();
  out->claims_ = std::move(claims).value();
  const nlohmann::json given = nlohmann::json::parse(plan.claims, nullptr, false);
  out->adds_iat_ = !given.contains("iat");
  out->adds_exp_ = !given.contains("exp");
  out->secret_ = plan.secret;
  out->ttl_ms_ = std::max<int64_t>(1, plan.ttl_ns / 1'000'000);
  return out;
}

std::string JwtAuthorization::claims_for(uint64_t user, int64_t now_ms) const {
  Random random(user ^ static_cast<uint64_t>(now_ms));
  std::string given;
  claims_.render({{}, user, 0, random, system_wall_ms}, given);
  std::string out = "{";
  const auto add = [&out](const char* name, int64_t seconds) {
    out.append("\"").append(name).append("\":").append(std::to_string(seconds)).append(",");
  };
  if (adds_iat_) add("iat", now_ms / 1'000);
  // Rounded up: a token never ends before its time.
  if (adds_exp_) add("exp", (now_ms + ttl_ms_ + 999) / 1'000);
  out.append(given, 1);
  // Nothing came after what was added.
  if (out.ends_with(",}")) out.erase(out.size() - 2, 1);
  return out;
}

void JwtAuthorization::renew(uint64_t user, int64_t now_ms, Credential& mine) const {
  if (mine.value != nullptr && now_ms < mine.until_ms) return;
  mine.value = std::make_shared<const std::string>("Bearer " +
                                                   sign_hs256(claims_for(user, now_ms), secret_));
  mine.until_ms = now_ms + ttl_ms_ / 5 * 4;
}

}  // namespace plumb::http_load
