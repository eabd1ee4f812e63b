#include "core/plan/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

namespace plumb::plan {
namespace {

Mark mark_of(const YAML::Mark& mark) {
  return mark.is_null() ? Mark{} : Mark{mark.line + 1, mark.column + 1};
}

// Thrown and caught in this file only: the parser offers no other way to stop it.
struct Stop : std::exception {
  explicit Stop(YamlFault f) : fault(std::move(f)) {}
  YamlFault fault;
};

size_t values_in(const Node& node) {
  size_t count = 1;
  for (const Node& item : node.items) count += values_in(item);
  for (const Node& entry : node.entries) count += values_in(entry);
  return count;
}

int depth_of(const Node& node) {
  int deepest = 0;
  for (const Node& item : node.items) deepest = std::max(deepest, depth_of(item));
  for (const Node& entry : node.entries) deepest = std::max(deepest, depth_of(entry));
  return deepest + 1;
}

size_t bytes_in(const Node& node) {
  size_t bytes = node.text.size();
  for (const Node& item : node.items) bytes += bytes_in(item);
  for (const Node& entry : node.entries) bytes += entry.key.size() + bytes_in(entry);
  return bytes;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  // `text` outlives the builder.
  explicit TreeBuilder(std::string_view text) : text_(text) {}
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      throw Stop({mark_of(mark), "a second document begins here; a plan is one document",
                  "remove the line ---"});
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    count(1, mark);
    if (key_expected())
      throw Stop({mark_of(mark), "a key is missing here, or a bracket is not closed", ""});
    add(Node{.mark = mark_of(mark)}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw Stop({mark_of(mark), "an alias refers to a value that is not complete yet", ""});
    const Node& meant = found->second;
    if (static_cast<int>(open_.size()) + depth_of(meant) > kDeepestNesting) too_deep(mark);
    copied_bytes_ += bytes_in(meant);
    if (copied_bytes_ > kLargestPlanBytes) too_many(mark);
    count(values_in(meant), mark);
    Node copy = meant;
    copy.mark = mark_of(mark);
    add(std::move(copy), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    count(1, mark);
    check_closed(mark);
    if (key_expected()) {
      open_.back().key = Key{value, mark_of(mark)};
      if (anchor != 0) anchors_[anchor] = scalar(mark, tag, value);
      return;
    }
    add(scalar(mark, tag, value), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::kList, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::kMap, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Key {
    std::string text;
    Mark mark;
  };
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Key> key;
  };

  static Node scalar(const YAML::Mark& mark, const std::string& tag, const std::string& value) {
    return Node{
        .kind = Node::Kind::kScalar, .text = value, .quoted = tag == "!", .mark = mark_of(mark)};
  }
  // yaml-cpp takes a quote that is never closed for one that ends with the file, and with it all
  // keys that follow.
  void check_closed(const YAML::Mark& mark) const {
    const auto start = static_cast<size_t>(mark.pos);
    if (mark.is_null() || start >= text_.size()) return;
    const char quote = text_[start];
    if (quote != '"' && quote != '\'') return;
    for (size_t i = start + 1; i < text_.size(); ++i) {
      if (quote == '"' && text_[i] == '\\') {
        ++i;
      } else if (text_[i] == quote) {
        if (quote == '"' || i + 1 >= text_.size() || text_[i + 1] != quote) return;
        ++i;
      }
    }
    throw Stop({mark_of(mark), "the quote that begins here is never closed", ""});
  }
  [[noreturn]] static void too_deep(const YAML::Mark& mark) {
    throw Stop({mark_of(mark),
                "values are nested deeper than " + std::to_string(kDeepestNesting) + " levels",
                "a plan needs about five"});
  }
  [[noreturn]] static void too_many(const YAML::Mark& mark) {
    throw Stop({mark_of(mark),
                "the plan has more than " + std::to_string(kMostValues) +
                    " values, or its aliases grow beyond " +
                    std::to_string(kLargestPlanBytes >> 20) + " MiB",
                "aliases count as often as they are used"});
  }

  bool key_expected() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::kMap && !open_.back().key;
  }
  void check_key(const Mark& mark) const {
    if (key_expected())
      throw Stop({mark, "a key must be plain text", "write key: value, one per line"});
  }
  void count(size_t values, const YAML::Mark& mark) {
    values_ += values;
    if (values_ > kMostValues) too_many(mark);
  }
  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    count(1, mark);
    check_key(mark_of(mark));
    if (static_cast<int>(open_.size()) >= kDeepestNesting) too_deep(mark);
    open_.push_back({Node{.kind = kind, .mark = mark_of(mark)}, anchor, std::nullopt});
  }
  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }
  void add(Node node, YAML::anchor_t anchor) {
    check_key(node.mark);
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::kList) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    // The parser places a value that is not there at the next token.
    if (node.kind == Node::Kind::kNull) node.mark = parent.key->mark;
    node.key = std::move(parent.key->text);
    node.key_mark = parent.key->mark;
    parent.node.entries.push_back(std::move(node));
    parent.key.reset();
  }

  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::string_view text_;
  size_t values_ = 0;
  size_t copied_bytes_ = 0;
  int documents_ = 0;
};

// yaml-cpp's own sentences, where they can be said better.
YamlFault fault_of(const YAML::Exception& e, std::string_view text) {
  YamlFault fault{mark_of(e.mark), "this is not valid YAML: " + e.msg, ""};
  std::string_view line = text;
  for (int i = 0; i < e.mark.line && !line.empty(); ++i) {
    const size_t end = line.find('\n');
    line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  }
  line = line.substr(0, line.find('\n'));
  if (line.find("${") != std::string_view::npos)
    fault.hint = "put a value that holds ${...} into double quotes";
  else if (line.find('\t') != std::string_view::npos)
    fault.hint = "indent with blanks: YAML takes no tabs";
  else
    fault.hint = "check the indentation, and that brackets and quotes are closed";
  return fault;
}

}  // namespace

const Node* Node::find(std::string_view wanted) const {
  for (const Node& entry : entries)
    if (entry.key == wanted) return &entry;
  return nullptr;
}

Node* Node::find(std::string_view wanted) {
  return const_cast<Node*>(std::as_const(*this).find(wanted));
}

bool is_utf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t more = lead < 0x80 ? 0 : lead >> 5 == 6 ? 1 : lead >> 4 == 14 ? 2 : 3;
    if (more == 3 && lead >> 3 != 30) return false;
    if (more >= text.size() - i) return false;
    uint32_t code = more == 0 ? lead : lead & (0x3fU >> more);
    for (size_t k = 1; k <= more; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if (byte >> 6 != 2) return false;
      code = code << 6 | (byte & 0x3fU);
    }
    constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (code < kLeast[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
    i += more + 1;
  }
  return true;
}

std::variant<Node, YamlFault> parse_yaml(std::string_view text) {
  if (text.size() > kLargestPlanBytes)
    return YamlFault{{}, "the plan is larger than 1 MiB", "is this the right file?"};
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos)
    return YamlFault{{}, "this is not UTF-8 text", "is this the right file?"};
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    TreeBuilder builder(text);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const Stop& stop) {
    return stop.fault;
  } catch (const YAML::Exception& e) {
    return fault_of(e, text);
  } catch (const std::exception& e) {
    return YamlFault{{}, std::string("this is not valid YAML: ") + e.what(), ""};
  }
}

}  // namespace plumb::plan
