#include "core/diagnose/rule_template.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace plumb::diagnose {
namespace {

std::string escaped(std::string_view text, std::string_view special, char with) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += with;
    out += c;
  }
  return out;
}

// Line breaks would end the command for some shells' readers; SQL takes a blank as well.
std::string on_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string sql_literal_in_shell(const std::string& text) {
  return escaped(escaped(on_one_line(text), "'", '\''), "\\\"$`", '\\');
}

bool is_plain_identifier(std::string_view name) {
  const auto plain = [](char c) {
    return std::islower(static_cast<unsigned char>(c)) != 0 || c == '_' ||
           std::isdigit(static_cast<unsigned char>(c)) != 0;
  };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(), plain);
}

std::string quoted_identifier(std::string_view name) {
  if (is_plain_identifier(name)) return std::string(name);
  return "\"" + escaped(name, "\"", '"') + "\"";
}

// schema.table, or a table alone: the first dot parts them.
std::string sql_identifier(const std::string& name) {
  const size_t dot = name.find('.');
  if (dot == std::string::npos) return quoted_identifier(name);
  return quoted_identifier(std::string_view(name).substr(0, dot)) + "." +
         quoted_identifier(std::string_view(name).substr(dot + 1));
}

std::string shell_word(const std::string& text) {
  std::string out = "'";
  for (const char c : on_one_line(text))
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string in_form(const std::string& text, std::string_view form) {
  if (form == "sql") return sql_literal_in_shell(text);
  if (form == "ident") return sql_identifier(text);
  if (form == "shell") return shell_word(text);
  return text;
}

struct Place {
  std::string name;
  std::string form;
};

Place place_of(const std::string& inside) {
  const size_t mark = inside.find('!');
  if (mark == std::string::npos) return {inside, ""};
  return {inside.substr(0, mark), inside.substr(mark + 1)};
}

bool is_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

// Calls on_text for what stands between places, and on_place for each {name} or {name!form}.
// Braces around anything else, and %{name}, are text: commands have them too.
void walk(const std::string& pattern, const std::function<void(std::string_view)>& on_text,
          const std::function<void(const Place&, std::string_view)>& on_place) {
  const std::string_view view = pattern;
  size_t at = 0;
  while (at < pattern.size()) {
    const size_t open = pattern.find('{', at);
    const size_t close = open == std::string::npos ? open : pattern.find('}', open);
    if (close == std::string::npos) break;
    on_text(view.substr(at, open - at));
    const Place place = place_of(pattern.substr(open + 1, close - open - 1));
    const std::string_view whole = view.substr(open, close + 1 - open);
    const bool of_a_format = open > 0 && pattern[open - 1] == '%';
    if (is_name(place.name) && !of_a_format)
      on_place(place, whole);
    else
      on_text(whole);
    at = close + 1;
  }
  on_text(view.substr(at));
}

}  // namespace

bool is_template_form(const std::string& form) {
  return form == "sql" || form == "ident" || form == "shell";
}

std::string fill_template(const std::string& pattern, const std::vector<TemplateValue>& values) {
  std::string out;
  walk(
      pattern, [&](std::string_view text) { out += text; },
      [&](const Place& place, std::string_view whole) {
        const auto found =
            std::find_if(values.begin(), values.end(),
                         [&](const TemplateValue& value) { return value.name == place.name; });
        out += found == values.end() ? std::string(whole) : in_form(found->text, place.form);
      });
  return out;
}

std::vector<std::string> names_in(const std::string& pattern,
                                  const std::function<void(const std::string&)>& on_form) {
  std::vector<std::string> out;
  walk(
      pattern, [](std::string_view) {},
      [&](const Place& place, std::string_view) {
        out.push_back(place.name);
        if (!place.form.empty()) on_form(place.form);
      });
  return out;
}

}  // namespace plumb::diagnose
