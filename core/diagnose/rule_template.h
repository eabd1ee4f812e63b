// The templates of rules: text with {name} in it.
#ifndef PLUMB_CORE_DIAGNOSE_RULE_TEMPLATE_H_
#define PLUMB_CORE_DIAGNOSE_RULE_TEMPLATE_H_

#include <functional>
#include <string>
#include <vector>

namespace plumb::diagnose {

struct TemplateValue {
  std::string name;
  std::string text;
};

// Puts values into a template; unknown names stay as they are. {name!sql} is the text as it stands
// inside a '...' literal of SQL that is itself inside "..." of a shell; {name!ident} a table's name
// as an identifier of SQL; {name!shell} one word of a shell.
std::string fill_template(const std::string& pattern, const std::vector<TemplateValue>& values);

// The names that a template uses; `on_form` hears of each form behind a '!'.
std::vector<std::string> names_in(const std::string& pattern,
                                  const std::function<void(const std::string&)>& on_form);

// Whether fill_template knows the form.
bool is_template_form(const std::string& form);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_RULE_TEMPLATE_H_
