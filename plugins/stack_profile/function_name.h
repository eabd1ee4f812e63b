// How the name of a function is shown in a stack: demangled, without what only tells overloads
// apart, and safe to join with others by ';'.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_FUNCTION_NAME_H_
#define PLUMB_PLUGINS_STACK_PROFILE_FUNCTION_NAME_H_

#include <string>
#include <string_view>

namespace plumb::stack_profile {

// The C++ (or legacy Rust) name behind a symbol, shortened; any other symbol as it is. Symbol
// versions
// ("@@GLIBC_2.2.5") are taken off.
std::string demangle(const std::string& versioned);

// Takes parameter lists, return types and clone marks off a demangled C++ name and shortens long
// template arguments: "void a::f<int>(int) [clone .cold]" becomes "a::f<int>".
std::string shorten(std::string_view demangled);

// At most 240 bytes of valid UTF-8 without control characters; ';' becomes ':'. Text of the
// target, which may be anything.
std::string frame_text(std::string_view name);

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_FUNCTION_NAME_H_
