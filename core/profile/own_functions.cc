#include "core/profile/own_functions.h"

#include <array>
#include <map>
#include <string>

namespace plumb::profile {
namespace {

enum class Origin { kNative, kLibrary, kProgram };

Origin origin_of(std::string_view frame) {
  static constexpr std::array<std::string_view, 4> kLanguages = {
      "py::", "JS:", "LazyCompile:", "Function:"};
  static constexpr std::array<std::string_view, 6> kLibraries = {
      "<frozen ", "/lib/python", "site-packages/", "dist-packages/", " node:", "node_modules/"};
  bool interpreted = false;
  for (const std::string_view prefix : kLanguages)
    interpreted = interpreted || frame.starts_with(prefix);
  if (!interpreted) return Origin::kNative;
  for (const std::string_view part : kLibraries)
    if (frame.find(part) != std::string_view::npos) return Origin::kLibrary;
  return Origin::kProgram;
}

}  // namespace

std::vector<uint32_t> owners_of(const CallTree& tree) {
  const std::vector<CallTree::Node>& nodes = tree.nodes();
  std::vector<uint32_t> program(nodes.size(), CallTree::kRoot);
  std::vector<uint32_t> language(nodes.size(), CallTree::kRoot);
  std::vector<uint32_t> out(nodes.size(), CallTree::kRoot);
  for (uint32_t i = 1; i < nodes.size(); ++i) {
    const Origin origin = origin_of(tree.name_of(nodes[i]));
    program[i] = origin == Origin::kProgram ? i : program[nodes[i].parent];
    language[i] = origin != Origin::kNative ? i : language[nodes[i].parent];
    out[i] = program[i] != CallTree::kRoot ? program[i] : language[i];
  }
  return out;
}

std::vector<FunctionWeight> own_functions_of(const CallTree& tree) {
  const std::vector<CallTree::Node>& nodes = tree.nodes();
  const std::vector<uint32_t> owners = owners_of(tree);
  std::map<std::string, Weights> own;
  for (uint32_t i = 1; i < nodes.size(); ++i) {
    if (owners[i] == CallTree::kRoot) continue;
    Weights& self = own[tree.name_of(nodes[owners[i]])];
    for (const Side side : {kRun, kBase}) self[side] += nodes[i].self[side];
  }
  if (own.empty()) return {};
  std::vector<FunctionWeight> out;
  for (FunctionWeight& function : functions_of(tree, KernelTime::kIsItsOwn)) {
    const auto found = own.find(function.name);
    if (found == own.end()) continue;
    function.self = found->second;
    out.push_back(std::move(function));
  }
  return out;
}

}  // namespace plumb::profile
