#include "core/serve/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/serve/served_api_for_tests.h"

namespace plumb::serve {
namespace {

using nlohmann::json;

std::set<std::pair<std::string, std::string>> described_routes(const json& document) {
  std::set<std::pair<std::string, std::string>> out;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      if (method == "parameters") continue;
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
      out.emplace(upper, path);
    }
  }
  return out;
}

// Every "$ref" below `value`.
void collect_references(const json& value, std::set<std::string>& out) {
  if (value.is_object() && value.contains("$ref")) out.insert(value["$ref"]);
  if (!value.is_structured()) return;
  for (const json& child : value) collect_references(child, out);
}

TEST(OpenApi, DescribesExactlyWhatIsServed) {
  const json document = json::parse(openapi_document());
  EXPECT_EQ(document["openapi"], "3.1.0");
  const auto routes = Api::routes();
  EXPECT_EQ(described_routes(document),
            (std::set<std::pair<std::string, std::string>>(routes.begin(), routes.end())));
}

TEST(OpenApi, EveryReferenceLeadsSomewhere) {
  const json document = json::parse(openapi_document());
  std::set<std::string> references;
  collect_references(document, references);
  EXPECT_FALSE(references.empty());
  for (const std::string& reference : references) {
    EXPECT_TRUE(document.contains(json::json_pointer(reference.substr(1)))) << reference;
  }
}

TEST(OpenApi, EveryDescribedRouteAnswersWithADescribedStatusAndType) {
  const json document = json::parse(openapi_document());
  for (const auto& [method, pattern] : described_routes(document)) {
    ServedApi served;
    make_run_file(served.run_dir(), kRunId);
    const bool stop = pattern.find("/stop") != std::string::npos;
    if (stop) served.runs.begin();
    std::string path = pattern;
    if (const size_t at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, kRunId);
    const Reply reply = method == "POST" && !stop ? served.post(path, "application/yaml", kPlan)
                                                  : ask(served.port, method, path);
    std::string lower = method;
    for (char& c : lower) c = static_cast<char>(c - 'A' + 'a');
    const json& responses = document["paths"][pattern][lower]["responses"];
    const std::string status = std::to_string(reply.status);
    ASSERT_TRUE(responses.contains(status)) << method << " " << path << " " << status << reply.body;
    EXPECT_LT(reply.status, 300) << method << " " << path << reply.body;
    if (!responses[status].contains("content")) continue;
    const auto type = reply.headers.find("content-type");
    ASSERT_NE(type, reply.headers.end()) << path;
    const std::string media = type->second.substr(0, type->second.find(';'));
    EXPECT_TRUE(responses[status]["content"].contains(media)) << path << " " << media;
  }
}

TEST(OpenApi, IsServedAsItWasWritten) {
  ServedApi served;
  EXPECT_EQ(served.get("/openapi.json").body, openapi_document());
}

}  // namespace
}  // namespace plumb::serve
